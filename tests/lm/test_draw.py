"""Test the race that decides which token is drawn."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.lm import draw
from tutor.lm.distribution import PLAIN
from tutor.lm.session import Session
from tutor.lm.trajectory import trajectory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tutor.lm.language_model import LanguageModel

seeds = st.integers()
positions = st.integers(min_value=0, max_value=10_000)

# 0.999 quantiles of the chi-square distribution, by degrees of freedom
CHI_SQUARE = {3: 16.27, 9: 27.88, 15: 37.70}


def chi_square(counts: Counter[int], expected: list[float]) -> float:
    return sum((counts[i] - e) ** 2 / e for i, e in enumerate(expected))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logits - logits.max())
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def test_a_seed_gives_the_same_draws_in_every_version() -> None:
    """People share texts by their seeds."""
    known = [0.9923920891779873, 0.3274717756054265, 0.03859439337199663, 8.53084149550719]
    assert draw.luck(7, 3, 4) == pytest.approx(known, rel=1e-12)


@pytest.mark.parametrize("seed", [1, 11, 2**70])
def test_draws_follow_the_distribution(seed: int) -> None:
    probabilities = np.array([0.5, 0.25, 0.2, 0.05], dtype=np.float32)
    draws = 4000
    counts = Counter(draw.first(probabilities, seed, n) for n in range(draws))
    assert chi_square(counts, [draws * float(p) for p in probabilities]) < CHI_SQUARE[3]


def test_draws_follow_the_distribution_over_seeds_too() -> None:
    """A learner sees this who presses "New seed" again and again."""
    probabilities = np.array([0.5, 0.25, 0.2, 0.05], dtype=np.float32)
    draws = 4000
    counts = Counter(draw.first(probabilities, n, 5) for n in range(draws))
    assert chi_square(counts, [draws * float(p) for p in probabilities]) < CHI_SQUARE[3]


def test_a_large_flat_vocabulary_is_drawn_from_evenly() -> None:
    flat = np.full(50_000, 1 / 50_000, dtype=np.float32)
    draws = 400
    counts = Counter(draw.first(flat, 3, n) // 5_000 for n in range(draws))
    assert chi_square(counts, [draws / 10] * 10) < CHI_SQUARE[9]


def test_draws_at_successive_positions_are_independent() -> None:
    probabilities = np.full(4, 0.25)
    drawn = [draw.first(probabilities, 3, n) for n in range(4001)]
    pairs = Counter(4 * one + next_ for one, next_ in pairwise(drawn))
    assert chi_square(pairs, [4000 / 16] * 16) < CHI_SQUARE[15]


@given(seeds, positions, st.lists(st.floats(min_value=0.001, max_value=1), min_size=1, max_size=50))
def test_the_same_seed_and_position_draw_the_same(
    seed: int, position: int, weights: list[float]
) -> None:
    probabilities = np.array(weights)
    drawn = draw.first(probabilities, seed, position)
    assert draw.first(probabilities, seed, position) == drawn
    assert draw.first(probabilities / 7, seed, position) == drawn


@given(seeds, positions, st.sets(st.integers(0, 19), max_size=19))
def test_a_removed_token_is_never_drawn_and_changes_no_other_draw(
    seed: int, position: int, cut: set[int]
) -> None:
    probabilities = softmax(np.linspace(0, 5, 20))
    before = draw.first(probabilities, seed, position)
    probabilities[list(cut)] = 0
    after = draw.first(probabilities / probabilities.sum(), seed, position)
    assert after not in cut
    if before not in cut:
        assert after == before


def test_luck_is_exponential() -> None:
    times = draw.luck(5, 12, 50_000)
    assert times.min() > 0
    assert times.mean() == pytest.approx(1, abs=0.02)
    assert (times > 3).mean() == pytest.approx(np.exp(-3), abs=0.004)


def test_luck_depends_on_seed_position_and_token() -> None:
    assert (draw.luck(5, 12, 100) == draw.luck(5, 12, 200)[:100]).all()
    first = {float(draw.luck(seed, n, 1)[0]) for seed in range(50) for n in range(50)}
    assert len(first) == 2500


def test_the_random_numbers_are_those_of_split_mix_64() -> None:
    """The expected numbers come from other implementations, with state 1234567."""
    assert draw.split_mix(1234567, 5).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_a_little_noise_rarely_changes_a_draw() -> None:
    """Processing a text at once changes the network's logits by about a hundredth."""
    random = np.random.default_rng(1)
    draws, changed = 2000, 0
    for n in range(draws):
        logits = random.normal(scale=3, size=1000)
        noisy = logits + random.normal(scale=0.01, size=1000)
        changed += draw.first(softmax(logits), 1, n) != draw.first(softmax(noisy), 1, n)
    assert 0 < changed < 0.02 * draws


# --- on the real model --------------------------------------------------------------------------


def grown(model: LanguageModel, prompt: str, seed: int, steps: int) -> Session:
    session = Session(model, model.tokenizer.encode(prompt))
    for _ in trajectory(session, PLAIN, seed, steps, top=0):
        pass
    return session


def test_generating_a_text_again_gives_the_same_text(language_model: LanguageModel) -> None:
    first = grown(language_model, "Once upon a", seed=7, steps=20)
    assert grown(language_model, "Once upon a", seed=7, steps=20).ids == first.ids
    first.go_back(10)
    for _ in trajectory(first, PLAIN, 7, 13, top=0):
        pass
    assert first.ids == grown(language_model, "Once upon a", seed=7, steps=20).ids


@pytest.mark.slow
def test_processing_a_text_at_once_rarely_changes_a_draw(language_model: LanguageModel) -> None:
    """About 99 of 100 draws stay the same."""
    drawn = differing = 0
    for prompt in ("Once upon a", "The capital of France is", "def fibonacci(n):\n"):
        for seed in range(4):
            session = grown(language_model, prompt, seed, steps=60)
            start = len(language_model.tokenizer.encode(prompt))
            again = Session(language_model, session.ids)
            again.surprisals()  # processes the whole text
            for position in range(start, len(session)):
                found = again.distribution(position, PLAIN, seed, top=0)
                drawn += 1
                differing += found.drawn.token.id != session.ids[position]
    assert drawn > 500
    assert differing <= 0.025 * drawn
