"""Test the baseline of the small model against the formula, implemented a second time."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tools import ngram
from tools.ngram import KneserNey, Record
from tutor import paths

VOCABULARY = 7
TOKENS = np.random.default_rng(1).integers(0, 4, 400) + np.random.default_rng(2).integers(0, 4, 400)


def by_hand(tokens: list[int], order: int, before: tuple[int, ...], token: int) -> float:
    """Return the probability by the formula of modified Kneser-Ney (Chen & Goodman 1998)."""
    if not before and order == 0:
        return 1 / VOCABULARY
    grams = Counter(_grams(tokens, len(before) + 1, order))
    n = [sum(count == times for count in grams.values()) for times in (1, 2, 3, 4)]
    y = n[0] / (n[0] + 2 * n[1]) if n[0] else 0
    discount = [0.0, 0.75, 0.75, 0.75]
    if all(n[:3]):
        found = [1 - 2 * y * n[1] / n[0], 2 - 3 * y * n[2] / n[1], 3 - 4 * y * n[3] / n[2]]
        discount[1:] = [min(max(d, 0), most) for most, d in enumerate(found, 1)]
    after = {gram[-1]: count for gram, count in grams.items() if gram[:-1] == before}
    lower = by_hand(tokens, order, before[1:], token) if before else 1 / VOCABULARY
    if not after:
        return lower
    total = sum(after.values())
    freed = sum(discount[min(count, 3)] for count in after.values())
    count = after.get(token, 0)
    return (count - discount[min(count, 3)] + freed * lower) / total


def _grams(tokens: list[int], length: int, order: int) -> list[tuple[int, ...]]:
    """Return all n-grams; below the longest, each different longer one counts once."""
    if length == order:
        return [tuple(tokens[at : at + order]) for at in range(len(tokens) - order + 1)]
    return [gram[1:] for gram in sorted(set(_grams(tokens, length + 1, order)))]


@pytest.mark.parametrize("order", [2, 3])
def test_probabilities_equal_the_formula(order: int) -> None:
    held_out = np.array([0, 1, 2, 3, 4, 5, 6, 0, 3, 3, 2, 6, 6, 6])
    found = KneserNey(TOKENS, VOCABULARY, order).probabilities(held_out)
    known = TOKENS.tolist()
    for place, probability in enumerate(found, 1):
        before = tuple(held_out[max(0, place - order + 1) : place].tolist())
        expected = by_hand(known, order, before, int(held_out[place]))
        assert probability == pytest.approx(expected), place


@pytest.mark.parametrize("order", [1, 2, 4])
def test_every_distribution_sums_to_one(order: int) -> None:
    model = KneserNey(TOKENS, VOCABULARY, order)
    for before in ([0, 1, 2], [6, 6, 6], [3, 3, 3], [0, 6, 0]):
        texts = [np.array([*before, token]) for token in range(VOCABULARY)]
        total = sum(float(model.probabilities(text)[-1]) for text in texts)
        assert total == pytest.approx(1)


def test_longer_n_grams_help_if_the_text_repeats_itself() -> None:
    text = np.array([1, 2, 3, 1, 2, 4] * 50)
    surprise = [
        -np.log(KneserNey(text, 5, order).probabilities(text)).mean() for order in (1, 2, 4)
    ]
    assert surprise == sorted(surprise, reverse=True)


def test_n_grams_that_do_not_fit_into_63_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="63 bits"):
        KneserNey(TOKENS, 4096, 6)


@pytest.mark.slow
@pytest.mark.skipif("TUTOR_TEST_CORPUS" not in os.environ, reason="TUTOR_TEST_CORPUS is not set")
def test_the_record_is_reproduced() -> None:
    record = (paths.bundled_model_folder() / "ngram.json").read_bytes()
    found = ngram.measure(Path(os.environ["TUTOR_TEST_CORPUS"]))
    assert found == msgspec.json.decode(record, type=Record)
