"""Compare two distributions over the same vocabulary.

The Kullback-Leibler divergence (Kullback & Leibler 1951) measures how different they are:

    KL(A || B) = sum over tokens of  p_A (log2 p_A - log2 p_B)

It is the mean number of extra bits per token that a code optimized for B needs for tokens drawn
from A. It is 0 if A and B are equal, and infinite if A can draw a token that B never draws. It is
not symmetric: in general, KL(B || A) is a different number.

V is the size of the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from tutor.errors import ModelError
from tutor.lm import sampling
from tutor.lm.comparison import Comparison, Order, PairedRow, PositionDivergence, PositionPair
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.language_model import LanguageModel
from tutor.lm.sampling import Weights
from tutor.lm.session import Session
from tutor.lm.tokenizer import Tokenizer


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a session (a text and its model), with sampler settings.

    `changed` returns a context manager that changes the network, for example by switching off a
    head (see `tutor.lm.inspect.interventions`). The change is active whenever a result of `session`
    is computed.
    """

    session: Session
    sampler: SamplerSettings = PLAIN
    changed: Callable[[], AbstractContextManager[None]] = nullcontext

    def logits(self, position: int) -> Tensor:
        """Return the logits after the first `position` tokens: [V]."""
        with self.changed():
            return self.session.logits(position)


def require_same_vocabulary(a: LanguageModel, b: LanguageModel) -> None:
    """Raise `ModelError` unless both models have the same tokens with the same ids."""
    if a is b:
        return
    size = a.network.config.vocabulary_size
    same = size == b.network.config.vocabulary_size
    if not same or not same_tokens(a.tokenizer, b.tokenizer, size):
        raise ModelError(
            f"{a.card.name} and {b.card.name} have different vocabularies.",
            "Compare two models with the same tokens, such as a base model and its chat version.",
        )


def same_tokens(a: Tokenizer, b: Tokenizer, size: int) -> bool:
    """Return True if each id from 0 to `size` - 1 is the same token in both vocabularies."""
    return all(a.token(id_) == b.token(id_) for id_ in range(size))


@dataclass(frozen=True)
class Contrast:
    """Two distributions over the next token, with the sampler settings applied.

    `bits` is KL(A || B) and `reverse_bits` is KL(B || A), both in bits.
    """

    a: Weights
    b: Weights
    bits: float
    reverse_bits: float

    @property
    def change(self) -> Tensor:
        """Return each token's probability in B minus its probability in A: [V]."""
        return self.b.sampled - self.a.sampled


def contrast(
    of_a: Tensor, of_b: Tensor, sampler_a: SamplerSettings, sampler_b: SamplerSettings
) -> Contrast:
    """Compare the distributions that result from two vectors of logits [V]."""
    a, b = sampling.weigh(of_a, sampler_a), sampling.weigh(of_b, sampler_b)
    log_a, log_b = (
        _log_of_kept(each.logits, each.counts.min_p, each.settings.temperature) for each in (a, b)
    )
    return Contrast(a, b, divergence(log_a, log_b), divergence(log_b, log_a))


def compare(a: Side, b: Side, place: PositionPair, *, top: int, order: Order) -> Comparison:
    """Compare A and B at one pair of positions, and return `top` rows in the given order."""
    found = contrast(a.logits(place.a), b.logits(place.b), a.sampler, b.sampler)
    scores = found.change.abs() if order == "change" else found.a.logits
    ids = sampling.ranked(scores, min(top, len(scores))).tolist()
    token_of = a.session.model.tokenizer.token
    pairs = zip(
        sampling.rows(found.a, ids, token_of), sampling.rows(found.b, ids, token_of), strict=True
    )
    return Comparison(
        place=place,
        bits=found.bits,
        reverse_bits=found.reverse_bits,
        rows=tuple(PairedRow(*pair) for pair in pairs),
    )


def along(a: Side, b: Side, places: Sequence[PositionPair]) -> Iterator[PositionDivergence]:
    """Yield the divergence KL(A || B) at each pair of positions."""
    tokens = a.session.tokens
    for place in places:
        log_a = log_probabilities(a.logits(place.a), a.sampler)
        log_b = log_probabilities(b.logits(place.b), b.sampler)
        yield PositionDivergence(place, tokens[place.a - 1], divergence(log_a, log_b))


def log_probabilities(logits: Tensor, settings: SamplerSettings) -> Tensor:
    """Return the log-probability of every token under the sampler settings: [V], 64-bit floats.

    The logarithms are natural. A token that the settings remove has the value minus infinity.
    """
    kept = sampling.count_kept(logits, settings).min_p
    return _log_of_kept(logits, kept, settings.temperature)


def _log_of_kept(logits: Tensor, kept: int, temperature: float) -> Tensor:
    """Return the log-probabilities [V] if only the `kept` most probable tokens are left."""
    # With the highest logit at 0, no temperature above 0 can cause an overflow.
    scores = (logits - logits.max()).double() / (temperature or 1.0)
    if kept < len(logits):
        removed = torch.ones(len(logits), dtype=torch.bool)
        removed[sampling.ranked(logits, kept)] = False
        scores = scores.masked_fill(removed, -math.inf)
    return scores.log_softmax(dim=-1)


def divergence(a: Tensor, b: Tensor) -> float:
    """Return KL(A || B) in bits, given the natural log-probabilities of A and B: [V] each."""
    possible = a > -math.inf
    terms = a[possible].exp() * (a[possible] - b[possible])
    return float(terms.sum() / math.log(2))
