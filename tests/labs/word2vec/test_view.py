"""Test the keys and the pictures of the word2vec lab."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.app.whole_app import until
from tests.labs.lab_stage import (
    BackendEngine,
    at_rest,
    do,
    impatient,
    lab_app,
    screen_of,
    seen,
    state_of,
    write,
)
from tests.later import SIZES
from tutor.app.widgets.plot import trend
from tutor.labs.kit.actions import Choose, EditText, Run
from tutor.labs.kit.runner import Left
from tutor.labs.word2vec import lab
from tutor.labs.word2vec.lab import Answer, State

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "copper gold zinc; wheat rice corn; red blue xylophone"


def far_trained() -> State:
    """Return a paused run with made-up answers, so that pictures don't depend on rounding."""
    state = lab.act(lab.act(lab.State(), EditText(WORDS)), Run())
    groups = state.words.group_of
    for moment in range(1, 21):
        apart = moment / 20
        points = tuple(
            ((group - 1) * 4 * apart + place * 0.5, (group % 2) * 2 * apart + place * 0.3)
            for place, group in enumerate(groups[:-1])
        )
        cosines = tuple(
            tuple(1.0 if a == b else 1 - 0.5 * apart for b in groups[:-1]) for a in groups[:-1]
        )
        asked = lab.question(state)
        assert asked is not None
        answer = Answer(
            began=(moment - 1) * 20_000,
            done=moment * 20_000,
            total=1_000_000,
            epoch=1 + moment // 8,
            epochs=8,
            finished=False,
            loss=4.16 - 0.1 * moment,
            seconds=0.2,
            known=(*[True] * (len(groups) - 1), False),
            points=points,
            shares=(0.5, 0.25),
            cosines=cosines,
            nearest=(("nickel", 0.95), ("tin", 0.9), ("manganese", 0.85), ("zinc", 0.8)),
            vocabulary=2412,
        )
        state = lab.receive(state, asked, answer)
    return lab.act(state, Run())


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(size: tuple[int, int], snap_compare: Any, tmp_path: Path) -> None:
    app = lab_app("word2vec", tmp_path)
    app.navigator.labs.left["word2vec"] = Left(far_trained(), None)
    assert snap_compare(app, terminal_size=size, run_before=at_rest)


def test_how_an_earlier_map_looks(snap_compare: Any, tmp_path: Path) -> None:
    async def run(pilot: Any) -> None:
        await do(pilot, "left", "left", "left")

    app = lab_app("word2vec", tmp_path)
    app.navigator.labs.left["word2vec"] = Left(far_trained(), None)
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)


async def test_training_pauses_and_continues(tmp_path: Path) -> None:
    app = lab_app("word2vec", tmp_path, BackendEngine(impatient))
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "press r to train" in seen(pilot)
        await pilot.press("r")
        await until(pilot, lambda: state_of(pilot).done > 1000)
        assert "left" in seen(pilot)
        await pilot.press("r")
        await at_rest(pilot)
        done = state_of(pilot).done
        assert "paused" in seen(pilot)
        await do(pilot, "n")
        assert state_of(pilot).done >= done
        assert not state_of(pilot).going
        await pilot.press("r")
        await until(pilot, lambda: state_of(pilot).done > done + 1000)
        assert state_of(pilot).losses[0][1] > 4  # It starts at 6 ln 2.
        assert all(a < b for (a, _), (b, _) in pairwise(state_of(pilot).losses))


@pytest.mark.slow
async def test_a_new_seed_or_window_restarts_the_training(tmp_path: Path) -> None:
    app = lab_app("word2vec", tmp_path, BackendEngine(impatient))
    async with app.run_test(size=(80, 24)) as pilot:
        await do(pilot)
        await pilot.press("s")
        await until(pilot, lambda: state_of(pilot).seed == 2 and state_of(pilot).done > 0)
        assert "seed 2" in seen(pilot)
        await pilot.press("w")
        await until(pilot, lambda: state_of(pilot).window == 2 and state_of(pilot).done > 0)
        await pilot.press("r")
        await at_rest(pilot)


async def test_words_of_the_learner_are_watched_and_unknown_words_listed(tmp_path: Path) -> None:
    app = lab_app("word2vec", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(pilot, WORDS)
        await until(pilot, lambda: state_of(pilot).words.own)
        await at_rest(pilot)
        assert "not in the text: xylophone" in seen(pilot)
        await do(pilot, "p")
        assert "xylophone  is not in the text" in seen(pilot)


async def test_earlier_maps_are_shown_and_left_again(tmp_path: Path) -> None:
    app = lab_app("word2vec", tmp_path)
    app.navigator.labs.left["word2vec"] = Left(far_trained(), None)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        await do(pilot, "left", "left")
        looks = state_of(pilot).looks
        assert f"map {len(looks) - 2} of {len(looks)}, after {looks[-3].done:,} pairs" in seen(
            pilot
        )
        await do(pilot, "right")
        assert f"{looks[-2].done:,} pairs" in seen(pilot)
        await do(pilot, "left", "l")
        assert "the map shows" in seen(pilot)


async def test_leaving_stops_the_training_and_coming_back_finds_it(tmp_path: Path) -> None:
    app = lab_app("word2vec", tmp_path)
    app.navigator.labs.left["word2vec"] = Left(far_trained(), None)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        before = state_of(pilot)
        await pilot.press("escape")
        await pilot.pause()
        app.navigator.open_live_lab("word2vec")
        await at_rest(pilot)
        assert state_of(pilot) == before
        assert screen_of(pilot).place.startswith("lab")


def test_a_finished_run_can_only_be_restarted_with_a_new_seed() -> None:
    state = far_trained()
    assert state.now is not None
    ready = msgspec.structs.replace(state, now=msgspec.structs.replace(state.now, finished=True))
    assert ready.finished
    assert lab.act(ready, Run()) == ready
    assert not lab.act(ready, Choose(1, "seed")).finished


def test_a_trend_goes_from_the_lowest_to_the_highest() -> None:
    assert trend([1, 2, 3], 8) == "▁▅█"
    assert trend([4, 4, 2, 2, 0, 0], 3) == "█▅▁"
    assert trend([5, 5], 4) == "▁▁"
    assert trend([], 4) == ""
