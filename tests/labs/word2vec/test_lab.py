"""Test the word2vec lab and its backend."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import small_model, tools
from tutor.errors import LabError, RequestCancelled
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, Run
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.words import zoom
from tutor.labs.kit.words.groups import edit_words
from tutor.labs.word2vec import lab
from tutor.labs.word2vec.backend import NEAREST, Word2VecBackend
from tutor.labs.word2vec.clusters import Point, compared, turned
from tutor.labs.word2vec.lab import Answer, Ask, State
from tutor.labs.word2vec.run import TrainingRun
from tutor.lm.embeddings.word2vec import Settings, read_text
from tutor.paths import word2vec_text

ASK = Ask(1, 5, 0, True, lab.CHOSEN.all, "copper")


def backend(folder: Path) -> Word2VecBackend:
    """Return a backend that trains one batch per time slice and writes a checkpoint after each."""
    return Word2VecBackend(tools(folder, moment=0.0), kept_every=-1.0)


def now(state: State) -> Answer:
    assert state.now is not None
    return state.now


def trained(state: State, there: Any, moments: int) -> State:
    for _ in range(moments):
        asked = lab.question(state)
        assert asked is not None
        state = lab.receive(state, asked, there.answer(asked))
    return state


def test_nothing_is_trained_before_the_learner_starts(tmp_path: Path) -> None:
    state = trained(lab.State(), backend(tmp_path), 1)
    assert lab.question(state) is None
    assert (state.done, state.losses, state.seconds) == (0, (), 0.0)
    assert all(now(state).known)


def test_points_cosines_and_neighbors_come_from_the_center_vectors(tmp_path: Path) -> None:
    answer = trained(lab.act(lab.State(), Run()), backend(tmp_path), 3).now
    run = TrainingRun(
        read_text(word2vec_text().read_text(encoding="utf-8"), Settings()), Settings()
    )
    for _ in range(3):
        run.step()
    assert answer is not None
    assert answer.done == run.done
    vectors = torch.nn.functional.normalize(run.vectors.center.double())
    ids = [run.text.words.index(word) for word in lab.CHOSEN.all]
    wanted = vectors[ids] @ vectors[ids].t()
    assert torch.tensor(answer.cosines).double().allclose(wanted, atol=1e-5)
    cosines = vectors @ vectors[ids[0]]
    cosines[ids[0]] = -2
    best = cosines.topk(NEAREST)
    assert [word for word, _ in answer.nearest] == [
        run.text.words[n] for n in best.indices.tolist()
    ]
    points = torch.tensor(answer.points).double()
    centered = vectors[ids] - vectors[ids].mean(0)
    held = float(points.square().sum() / centered.square().sum())
    assert held == pytest.approx(sum(answer.shares), abs=1e-4)


def test_a_paused_run_asks_nothing_and_can_be_continued(tmp_path: Path) -> None:
    there = backend(tmp_path)
    state = lab.act(trained(lab.act(lab.State(), Run()), there, 4), Run())
    assert lab.question(state) is None
    assert trained(lab.act(state, Run()), there, 1).done > state.done


def test_a_cancelled_time_slice_is_neither_lost_nor_counted_twice(tmp_path: Path) -> None:
    there = backend(tmp_path)
    state = trained(lab.act(lab.State(), Run()), there, 2)
    asked = lab.question(state)
    assert asked is not None
    there.answer(asked)  # The lab never receives this answer.
    after = trained(state, there, 1)
    straight = trained(lab.act(lab.State(), Run()), backend(tmp_path / "b"), 4)
    assert after.done == straight.done
    assert now(after).cosines == now(straight).cosines


def test_a_restarted_engine_continues_from_the_checkpoint(tmp_path: Path) -> None:
    state = trained(lab.act(lab.State(), Run()), backend(tmp_path), 3)
    after = trained(state, backend(tmp_path), 1)
    straight = trained(lab.act(lab.State(), Run()), backend(tmp_path / "b"), 4)
    assert after.done == straight.done
    assert now(after).cosines == now(straight).cosines


def test_results_lost_with_an_engine_leave_the_screen(tmp_path: Path) -> None:
    state = trained(lab.act(lab.State(), Run()), backend(tmp_path), 5)
    after = trained(state, backend(tmp_path / "other"), 1)
    assert after.done < state.done
    assert [done for done, _ in after.losses] == [after.done]
    assert [look.done for look in after.looks] == [after.done]


def test_an_unwritable_folder_does_not_stop_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    there = backend(tmp_path / "file")
    assert trained(lab.act(lab.State(), Run()), there, 2).done > 0


def test_training_checks_for_cancellation(tmp_path: Path) -> None:
    def gone() -> None:
        raise RequestCancelled("", "")

    with pytest.raises(RequestCancelled):
        Word2VecBackend(Tools(small_model, gone, tmp_path)).answer(ASK)


def test_a_new_seed_and_a_new_window_start_new_runs(tmp_path: Path) -> None:
    there = backend(tmp_path)
    state = trained(lab.act(lab.State(), Run()), there, 3)
    other = lab.act(state, Choose(1, "seed"))
    assert (other.seed, other.window, other.done, other.losses) == (2, 5, 0, ())
    first = trained(other, there, 1)
    assert now(first).cosines != now(trained(lab.act(lab.State(), Run()), there, 1)).cosines
    assert lab.act(other, Choose(1, "window")).window == lab.WINDOWS[1]
    seeds = [other.seed]
    for _ in range(lab.SEEDS - 1):
        other = lab.act(other, Choose(1, "seed"))
        seeds.append(other.seed)
    assert sorted(seeds) == list(range(1, lab.SEEDS + 1))


def test_words_of_the_learner_and_words_missing_from_the_text(tmp_path: Path) -> None:
    there = backend(tmp_path)
    state = trained(
        lab.act(lab.State(), EditText("Copper xylophone gold; wheat rice Corn")), there, 1
    )
    assert state.unknown == ("xylophone",)
    assert state.known == (("copper", 0), ("gold", 0), ("wheat", 1), ("rice", 1), ("corn", 1))
    assert not state.enough
    nothing = trained(lab.act(lab.State(), EditText("qqa qqb; qqc")), there, 1)
    assert (nothing.known, nothing.clustering, now(nothing).nearest) == ((), None, ())
    one = trained(lab.act(lab.State(), EditText("qqa qqb copper")), there, 1)
    assert len(now(one).points) == 1
    with pytest.raises(LabError):
        edit_words("one two")


def test_a_new_focus_is_asked_about_and_old_neighbors_are_stale(tmp_path: Path) -> None:
    there = backend(tmp_path)
    state = lab.act(trained(lab.State(), there, 1), MoveFocus(3, "word"))
    assert not state.fresh
    asked = lab.question(state)
    assert asked is not None
    assert (asked.focus, asked.train) == (lab.CHOSEN.all[3], False)


# --- clusters -------------------------------------------------------------------------------------


def test_clustering_is_measured_as_defined() -> None:
    cosines = ((1, 0.9, 0.1, 0.2), (0.9, 1, 0.3, 0.4), (0.1, 0.3, 1, 0.2), (0.2, 0.4, 0.2, 1.0))
    found = compared(cosines, (0, 0, 1, 1))
    assert found is not None
    assert found.together == 0.5  # The nearest neighbor of both last words is the second word.
    assert found.within == pytest.approx((0.9 + 0.2) / 2)
    assert found.between == pytest.approx((0.1 + 0.2 + 0.3 + 0.4) / 4)
    assert not found.clustered
    assert compared(cosines, (0, 0, 0, 0)) is None
    assert compared(cosines, (0, 1, 2, 3)) is None


def answer_with(groups: int, each: int, within: float, between: float, done: int = 10) -> Answer:
    place = [group for group in range(groups) for _ in range(each)]
    cosines = tuple(
        tuple(1.0 if i == j else within if a == b else between for j, b in enumerate(place))
        for i, a in enumerate(place)
    )
    points = tuple((float(i), 0.0) for i in range(len(place)))
    return Answer(
        0,
        done,
        100,
        1,
        1,
        False,
        1.0,
        0.1,
        (True,) * len(place),
        points,
        (1.0, 0.0),
        cosines,
        (),
        9,
    )


@pytest.mark.parametrize(
    ("groups", "each", "within", "between", "reached"),
    [
        (2, 3, 0.9, 0.5, True),
        (2, 3, 0.9, 0.7, False),
        (2, 2, 0.9, 0.1, False),
        (2, 3, 0.4, 0.5, False),
    ],
)
def test_clusters_need_near_neighbors_in_the_group_and_distance_between_groups(
    groups: int, each: int, within: float, between: float, reached: bool
) -> None:
    text = ";".join(" ".join(f"w{g}{n}" for n in range(each)) for g in range(groups))
    state = lab.act(lab.act(lab.State(), EditText(text)), Run())
    asked = lab.question(state)
    assert asked is not None
    state = lab.receive(state, asked, answer_with(groups, each, within, between))
    goals = {"clusters", "own-words"} if reached else set()
    assert lab.LAB.reached(state) == goals
    again = lab.act(state, Choose(1, "seed"))
    assert lab.LAB.reached(again) == goals - {"own-words"}
    again = lab.receive(again, ASK, answer_with(groups, each, within, between))
    assert ("two-seeds" in lab.LAB.reached(again)) == reached


# --- maps -----------------------------------------------------------------------------------------

POINTS = st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=8).map(tuple)


@given(POINTS, st.floats(0, 2 * math.pi), st.booleans())
def test_a_rotated_or_mirrored_map_is_rotated_back(
    points: tuple[Point, ...], angle: float, mirrored: bool
) -> None:
    sign = -1 if mirrored else 1
    cos, sin = math.cos(angle), math.sin(angle)
    moved = tuple((cos * x - sin * sign * y, sin * x + cos * sign * y) for x, y in points)
    for (x, y), (a, b) in zip(turned(moved, points), points, strict=True):
        assert (x, y) == pytest.approx((a, b), abs=1e-6)


@given(POINTS, st.data())
def test_no_other_rotation_fits_better(points: tuple[Point, ...], data: st.DataObject) -> None:
    before = data.draw(
        st.lists(
            st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
            min_size=len(points),
            max_size=len(points),
        )
    )

    def misfit(those: tuple[Point, ...]) -> float:
        return sum(math.dist(one, other) ** 2 for one, other in zip(those, before, strict=True))

    found = misfit(turned(points, tuple(before)))
    for sign in (1, -1):
        for step in range(24):
            cos, sin = math.cos(step * math.pi / 12), math.sin(step * math.pi / 12)
            other = tuple((cos * x - sin * sign * y, sin * x + cos * sign * y) for x, y in points)
            assert found <= misfit(other) + 1e-6


def test_maps_are_kept_at_growing_distances_and_can_be_shown_again() -> None:
    state = lab.act(lab.State(), Run())
    for done in range(10, 4000, 10):
        asked = lab.question(state)
        assert asked is not None
        answer = msgspec.structs.replace(
            answer_with(3, 11, 0.5, 0.5, done), began=done - 10, known=(True,) * 33, total=9999
        )
        state = lab.receive(state, asked, answer)
    kept = [look.done for look in state.looks]
    assert len(kept) <= lab.MOST_LOOKS
    assert kept == sorted(set(kept))
    assert kept[-1] == 3990
    assert all(b >= a * lab.LOOK_EVERY for a, b in pairwise(kept[:-1]))
    back = lab.act(state, MoveFocus(-3, "map"))
    assert back.shown == state.looks[-4]
    assert lab.act(state, MoveFocus(-999, "map")).shown == state.looks[0]
    assert lab.act(back, MoveFocus(999, "map")).shown == state.looks[-1]


MOVES = st.lists(
    st.one_of(
        st.builds(MoveFocus, by=st.integers(-9, 9), axis=st.sampled_from(["word", "map"])),
        st.builds(Adjust, by=st.integers(-9, 9), dial=st.just("zoom")),
        st.builds(Run),
    )
)


@given(MOVES)
def test_actions_before_the_first_answer_are_safe(moves: list[lab.Action]) -> None:
    state = lab.State()
    for move in moves:
        state = lab.act(state, move)
        assert lab.question(state) is not None
        assert state.shown is None
        assert 1 <= state.zoom <= zoom.MOST


def test_every_chosen_word_is_in_the_text() -> None:
    text = read_text(word2vec_text().read_text(encoding="utf-8"), Settings())
    assert set(lab.CHOSEN.all) <= set(text.words)


def test_the_initial_words_do_not_count_as_words_of_the_learner() -> None:
    text = "; ".join(" ".join(group.words) for group in lab.CHOSEN.groups[:2])
    state = lab.act(lab.act(lab.State(), EditText(text)), Run())
    assert [len(group.words) for group in state.words.groups] == [8, 7]
    known = (True,) * 7 + (False,) + (True,) * 7  # Seven words of each group.
    answer = msgspec.structs.replace(answer_with(2, 7, 0.9, 0.1), known=known)
    asked = lab.question(state)
    assert asked is not None
    assert lab.LAB.reached(lab.receive(state, asked, answer)) == {"clusters"}
