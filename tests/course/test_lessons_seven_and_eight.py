"""Test claims of the lessons on learning and sampling that lint does not check.

These are figures of worked examples, and the race for the next token. The model runs as on this
machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from tests.shipped_course import shipped_course
from tutor import paths
from tutor.course.lesson import Lesson, Screen
from tutor.lm import draw
from tutor.lm.distribution import PLAIN

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel

FRANCE = "The capital of France is"
LUCK = {
    # seed: token, luck, arrival
    3: [(" Paris", 0.29, 0.4), (" the", 0.92, 14), (" London", 0.28, 23)],
    2: [(" Paris", 4.55, 5.9), (" the", 0.11, 1.7), (" London", 1.08, 90)],
}


def screen(lesson_id: str, screen_id: str) -> Screen:
    lesson = shipped_course().lesson(lesson_id)
    assert isinstance(lesson, Lesson)
    found = lesson.screen(screen_id)
    assert found is not None
    return found


@pytest.mark.parametrize(("seed", "first"), [(3, " Paris"), (2, " the")])
def test_the_race_is_won_as_the_lesson_says(
    language_model: LanguageModel, seed: int, first: str
) -> None:
    from tutor.lm.session import Session

    tokenizer = language_model.tokenizer
    opened = Session(language_model, tokenizer.encode(FRANCE))
    assert opened.distribution(len(opened), PLAIN, seed, top=0).drawn.token.text == first
    luck = draw.luck(seed, len(opened), 49_152)
    body = screen("sampling", "draw").body
    for token, of_token, arrives in LUCK[seed]:
        (id_,) = tokenizer.encode(token)
        (row,) = opened.rows(len(opened), PLAIN, [id_])
        assert luck[id_] == pytest.approx(of_token, abs=0.005)
        assert luck[id_] / row.probability == pytest.approx(arrives, rel=0.1)
        (line,) = [line for line in body.splitlines() if line.startswith("␣" + token[1:] + " ")]
        assert {f"{of_token:.2f}", f"{arrives:g}"} <= set(line.split())


def test_a_race_with_uniform_luck_favors_the_probable_token() -> None:
    chance = np.random.default_rng(1)
    uniform = chance.uniform(0, 2, size=(200_000, 2)) / [0.75, 0.25]
    exponential = chance.exponential(size=(200_000, 2)) / [0.75, 0.25]
    assert np.mean(uniform[:, 0] < uniform[:, 1]) == pytest.approx(0.833, abs=0.005)
    assert np.mean(exponential[:, 0] < exponential[:, 1]) == pytest.approx(0.75, abs=0.005)


def test_the_training_step_with_three_logits_is_computed_correctly() -> None:
    logits, target = np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])
    before = np.exp(logits) / np.exp(logits).sum()
    moved = logits - (before - target)
    after = np.exp(moved) / np.exp(moved).sum()
    body = screen("learning", "gradient").body
    for probability in (*before, *after):
        assert f"{100 * probability:.1f} %" in body
    assert f"{-math.log(before[1]):.2f} nats" in body
    assert f"{-math.log(after[1]):.2f} nats" in body


def test_perplexity_and_work_of_the_small_model_are_computed_correctly() -> None:
    record = msgspec.json.decode(
        (paths.assets_folder() / "small-model" / "training.json").read_bytes()
    )
    (line,) = [
        line
        for line in screen("learning", "perplexity").body.splitlines()
        if line.startswith("bundled small model")
    ]
    assert line.split()[-1] == f"{math.exp(record['nats_per_token']):.0f}"
    work = 6 * record["weights"] * record["read_tokens"]
    assert work == pytest.approx(3.4e14, rel=0.02)
    assert "3.4 · 10¹⁴" in screen("learning", "compute").body
    days = 6 * 135e6 * 2e12 / 4e14 / 86_400
    assert days == pytest.approx(47, abs=0.5)
