"""Test that continuations are sampled and scored exactly as the model alone would."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path as Folder
from typing import Any

import msgspec
import pytest

from tests.labs.lab_backend import backend, done, settled, small_model
from tutor.labs.continuations import lab
from tutor.labs.continuations.lab import WAYS, Limits, Path, figures
from tutor.labs.kit.actions import Choose, EditText, Run, Toggle
from tutor.labs.kit.backend import MOMENT
from tutor.lm.chat import text_ids
from tutor.lm.session import Session

TEXT = "The sea is"
GREEDY = next(at for at, way in enumerate(WAYS) if way.name == "greedy")
BEAM = next(at for at, way in enumerate(WAYS) if way.method == "beam")
ONE = next(at for at, way in enumerate(WAYS) if way.name == "top-k 1")


def written(
    folder: Folder,
    first: int,
    second: int,
    *,
    limits: Limits = lab.LIMITS,
    moment: float = MOMENT,
) -> lab.State:
    """Return the lab after both ways have finished."""
    there = backend("continuations", folder, moment=moment)
    few = msgspec.structs.replace(lab.LAB, start=partial(lab.start, limits))
    state: lab.State = done(few, there, EditText(TEXT))
    for way in (first, second):
        state = lab.act(lab.act(state, Choose(way - state.ways[state.side], "way")), Toggle("side"))
    state = settled(lab.LAB, lab.act(state, Run()), there)
    assert state.finished
    return state


@pytest.fixture(scope="module")
def greedy_and_beams(tmp_path_factory: pytest.TempPathFactory) -> lab.State:
    return written(tmp_path_factory.mktemp("lab"), GREEDY, BEAM)


def test_greedy_decoding_takes_the_most_probable_each_time(greedy_and_beams: lab.State) -> None:
    (path,) = greedy_and_beams.paths[GREEDY]
    prompt = text_ids(small_model(), TEXT)
    session = Session(small_model(), prompt)
    for id_ in path.ids:
        assert id_ == int(session.logits(len(session)).argmax())
        session.append([id_])


def test_log_probability_is_the_sum_of_the_surprisals(
    greedy_and_beams: lab.State,
) -> None:
    prompt = text_ids(small_model(), TEXT)
    for path in (*greedy_and_beams.paths[GREEDY], *greedy_and_beams.paths[BEAM]):
        session = Session(small_model(), [*prompt, *path.ids])
        bits = session.surprisals(len(prompt))
        assert -sum(each or 0 for each in bits) * math.log(2) == pytest.approx(
            path.log_probability, rel=1e-3
        )
        assert b"".join(path.pieces) == small_model().tokenizer.decode(path.ids)


def test_beams_are_at_least_as_probable_as_the_greedy_one(greedy_and_beams: lab.State) -> None:
    beams = greedy_and_beams.paths[BEAM]
    assert len({path.ids for path in beams}) == lab.BEAMS
    assert beams[0].log_probability >= greedy_and_beams.paths[GREEDY][0].log_probability - 1e-6


def test_draws_do_not_depend_on_time_slices(tmp_path: Folder) -> None:
    few = Limits(count=3, length=6)
    at_once = written(tmp_path, 0, ONE, limits=few)
    in_pieces = written(tmp_path, 0, ONE, limits=few, moment=0.0)
    assert at_once.paths == in_pieces.paths
    assert len({path.ids for path in at_once.paths[ONE]}) == 1
    assert len({path.ids for path in at_once.paths[0]}) == 3


def test_statistics_match_a_computation_by_hand() -> None:
    def path(*ids: int) -> Path:
        return Path(ids, (), -float(len(ids)))

    found = figures([path(1, 2, 1, 2), path(1, 2, 3), Path()])
    assert found is not None
    assert found.tokens == 7
    assert found.distinct == pytest.approx(3 / 5)  # 12 21 23 of 12 21 12 12 23
    assert found.bits == pytest.approx(1 / math.log(2))
    assert (found.loops, found.different) == (0, 2)
    assert figures([Path()]) is None


def test_a_loop_is_four_tokens_seen_before() -> None:
    assert lab.repeats(Path((1, 2, 3, 4, 9, 1, 2, 3, 4)))
    assert not lab.repeats(Path((1, 2, 3, 9, 1, 2, 3)))


def test_run_starts_and_stops_and_editing_resets() -> None:
    state: Any = lab.act(lab.start(), Run())
    assert lab.question(state) is not None
    assert lab.question(lab.act(state, Run())) is None
    other = lab.act(state, EditText("x" * 300))
    assert (len(other.text), other.left_out, other.running) == (lab.LONGEST, 60, False)
