"""Test beam search on a language small enough to try every text."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from tutor.labs.continuations.beam import Beam, widen

VOCABULARY = 5
END = 4


def logits_after(ids: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(sum((i + 1) * 7**n for n, i in enumerate(ids)))
    return 2 * torch.randn(VOCABULARY, generator=generator)


def search(width: int, steps: int, end_ids: tuple[int, ...] = ()) -> tuple[Beam, ...]:
    beams: tuple[Beam, ...] = (Beam(),)
    for _ in range(steps):
        beams = widen(beams, [logits_after(beam.ids) for beam in beams], width, end_ids)
    return beams


def log_probability(ids: tuple[int, ...]) -> float:
    return sum(
        float(torch.log_softmax(logits_after(ids[:at]).double(), -1)[ids[at]])
        for at in range(len(ids))
    )


def test_a_beam_as_wide_as_all_texts_finds_the_most_probable() -> None:
    every = itertools.product(range(VOCABULARY), repeat=3)
    best = max(every, key=log_probability)
    found = search(VOCABULARY**3, 3)
    assert found[0].ids == best
    assert found[0].log_probability == pytest.approx(log_probability(best))


def test_width_one_is_greedy_decoding() -> None:
    ids: tuple[int, ...] = ()
    for _ in range(4):
        ids = (*ids, int(logits_after(ids).argmax()))
    assert search(1, 4)[0].ids == ids


def test_scores_are_sums_of_log_probabilities_in_order() -> None:
    beams = search(4, 3)
    assert len({beam.ids for beam in beams}) == 4
    scores = [beam.log_probability for beam in beams]
    assert scores == sorted(scores, reverse=True)
    for beam in beams:
        assert math.isclose(beam.log_probability, log_probability(beam.ids))


def test_a_beam_that_has_ended_stays_as_it_is() -> None:
    ended = Beam((0, END), -0.01, ended=True)
    (first, *_) = widen([ended, Beam((1,), -3.0)], [torch.empty(0), logits_after((1,))], 2, [END])
    assert first == ended
