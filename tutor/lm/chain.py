"""Apply the sampler's steps one at a time and in any order.

`tutor/lm/sampling.py` applies temperature, top-k, top-p and min-p in the order that most programs
use. Here each is a separate step, so that you can change the order and see what each step removes.
A step takes logits [V] and returns logits [V]. It removes a token by setting its logit to minus
infinity, which no later step changes.

    temperature         z / T
    repetition penalty  for tokens that are already in the text: z / r if z > 0, else z * r
                        (Keskar et al. 2019)
    top-k               keep the k highest logits
    top-p               keep the smallest set of most probable tokens whose probabilities sum to
                        at least p (Holtzman et al. 2020)
    min-p               keep the tokens that are at least min-p times as probable as the most
                        probable one (Nguyen et al. 2024)

Probabilities are the softmax of the current logits. Every step keeps at least one token. Tokens
with equal logits are ranked by id.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator

import torch
from torch import Tensor

from tutor.lm.dials import Dials, Stage, StepName, is_off
from tutor.lm.sampling import entropy_bits, nucleus, ranked

REMOVED = -math.inf


def temperature(logits: Tensor, value: float) -> Tensor:
    """Divide the logits by a temperature above 0.

    Below 1, likely tokens become more likely; above 1, the distribution flattens. The ranking does
    not change.
    """
    return logits / value


def repetition_penalty(logits: Tensor, value: float, seen: Collection[int]) -> Tensor:
    """Make every token in `seen` less likely, no matter how often it occurred.

    A value of 1 changes nothing.
    """
    if not seen:
        return logits
    ids = torch.tensor(sorted(set(seen)))
    scores = logits[ids]
    return logits.index_copy(0, ids, torch.where(scores > 0, scores / value, scores * value))


def top_k(logits: Tensor, count: int) -> Tensor:
    """Keep the `count` highest logits; a count of 0 keeps all of them."""
    return logits if count == 0 else _keep_highest(logits, count)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the most probable tokens that together reach probability `p`; 1 keeps all tokens."""
    if p >= 1:
        return logits
    return _keep_highest(logits, nucleus(logits, probabilities(logits), len(logits), p))


def min_p(logits: Tensor, ratio: float) -> Tensor:
    """Keep tokens at least `ratio` times as probable as the most probable one; 0 keeps all.

    A ratio of probabilities is a difference of logits.
    """
    if ratio == 0:
        return logits
    return logits.masked_fill(logits < logits.max() + math.log(ratio), REMOVED)


def probabilities(logits: Tensor) -> Tensor:
    """Return the softmax of logits [V], in 64-bit floats."""
    return torch.softmax(logits.double(), dim=-1)


def stages(
    logits: Tensor, dials: Dials, order: Iterable[StepName], seen: Collection[int]
) -> Iterator[tuple[Stage, Tensor]]:
    """Apply all steps in this order, and yield the result of each with its logits [V].

    `logits` [V] belong to the position after a text that contains the tokens `seen`.
    """
    steps = _steps(dials, seen)
    for name in order:
        before, logits = logits, steps[name](logits)
        cut = (logits == REMOVED) & (before != REMOVED)
        removed = float(probabilities(before)[cut].sum())
        kept = int((logits != REMOVED).sum())
        yield Stage(name, kept, removed, entropy_bits(probabilities(logits))), logits


def apply(logits: Tensor, dials: Dials, order: Iterable[StepName], seen: Collection[int]) -> Tensor:
    """Return logits [V] after all steps in this order. Steps that are off are skipped."""
    steps = _steps(dials, seen)
    for name in order:
        if not is_off(dials, name):
            logits = steps[name](logits)
    return logits


def _steps(dials: Dials, seen: Collection[int]) -> dict[StepName, Callable[[Tensor], Tensor]]:
    return {
        "repetition": lambda z: repetition_penalty(z, dials.repetition, seen),
        "temperature": lambda z: temperature(z, dials.temperature),
        "top-k": lambda z: top_k(z, dials.top_k),
        "top-p": lambda z: top_p(z, dials.top_p),
        "min-p": lambda z: min_p(z, dials.min_p),
    }


def _keep_highest(logits: Tensor, count: int) -> Tensor:
    """Keep the `count` highest logits; among equal logits, those with the lowest ids."""
    keep = torch.zeros(len(logits), dtype=torch.bool)
    keep[ranked(logits, min(count, len(logits)))] = True
    return logits.masked_fill(~keep, REMOVED)
