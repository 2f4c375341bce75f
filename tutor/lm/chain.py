"""The steps between logits and the draw, one by one and in any order.

`tutor/lm/sampling.py` applies temperature, top-k, top-p and min-p in the order that most programs
use. Here each is a step of its own, so that their order can be changed and what each removes can
be seen. A step takes logits [V] and returns logits [V]; a token that it removes gets minus
infinity, which every later step leaves as it is.

    temperature         z / T
    repetition penalty  tokens that the text has already: z / r where z > 0, z * r where not
                        (Keskar et al. 2019)
    top-k               the k greatest stay
    top-p               the fewest greatest that have a share p of the probability stay
                        (Holtzman et al. 2020)
    min-p               those at least min-p times as probable as the greatest stay
                        (Nguyen et al. 2024)

Probabilities are the softmax of the logits as they stand. Cuts keep at least one token. Tokens
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
    """Below 1 the likely gets likelier, above 1 it evens out; the ranking stays. `value` > 0."""
    return logits / value


def repetition_penalty(logits: Tensor, value: float, seen: Collection[int]) -> Tensor:
    """Makes every token of `seen` less likely, however often it was there; 1 changes nothing."""
    if not seen:
        return logits
    ids = torch.tensor(sorted(set(seen)))
    scores = logits[ids]
    return logits.index_copy(0, ids, torch.where(scores > 0, scores / value, scores * value))


def top_k(logits: Tensor, count: int) -> Tensor:
    """0 changes nothing."""
    return logits if count == 0 else _head(logits, count)


def top_p(logits: Tensor, share: float) -> Tensor:
    """1 changes nothing."""
    if share >= 1:
        return logits
    return _head(logits, nucleus(logits, probabilities(logits), len(logits), share))


def min_p(logits: Tensor, ratio: float) -> Tensor:
    """0 changes nothing. A ratio of probabilities is a difference of logits."""
    if ratio == 0:
        return logits
    return logits.masked_fill(logits < logits.max() + math.log(ratio), REMOVED)


def probabilities(logits: Tensor) -> Tensor:
    """Softmax of logits [V], in 64-bit floats."""
    return torch.softmax(logits.double(), dim=-1)


def passes(
    logits: Tensor, dials: Dials, order: Iterable[StepName], seen: Collection[int]
) -> Iterator[tuple[Stage, Tensor]]:
    """All steps in this order, on logits [V] after a text of the tokens `seen`. Yields what came of
    each, and the logits [V] that it left."""
    steps = _steps(dials, seen)
    for name in order:
        before, logits = logits, steps[name](logits)
        gone = (logits == REMOVED) & (before != REMOVED)
        removed = float(probabilities(before)[gone].sum())
        kept = int((logits != REMOVED).sum())
        yield Stage(name, kept, removed, entropy_bits(probabilities(logits))), logits


def left(logits: Tensor, dials: Dials, order: Iterable[StepName], seen: Collection[int]) -> Tensor:
    """What all steps in this order leave of the logits [V]; those that are off take no time."""
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


def _head(logits: Tensor, count: int) -> Tensor:
    """The `count` greatest stay, of equal ones those with the lower ids."""
    keep = torch.zeros(len(logits), dtype=torch.bool)
    keep[ranked(logits, min(count, len(logits)))] = True
    return logits.masked_fill(~keep, REMOVED)
