"""Apply the sampler's steps one at a time, in any order.

`tutor/lm/sampling.py` applies temperature, top-k, top-p and min-p in the order that most programs
use. Here each is a separate step, so that you can change the order and see what each step removes.
Each step is a function from logits [V] to logits [V]. To remove a token, a step sets its logit to
minus infinity, which no later step changes.

    temperature         z / T
    repetition penalty  for tokens that already occur in the text: z / r if z > 0, else z * r
                        (Keskar et al. 2019)
    top-k               keep the k highest logits
    top-p               keep the smallest set of most probable tokens whose probabilities sum to
                        at least p (Holtzman et al. 2020)
    min-p               keep the tokens that are at least min-p times as probable as the most
                        probable one (Nguyen et al. 2024)

Probabilities are the softmax of the current logits. Every step keeps at least one token. If two
tokens have equal logits, the token with the lower id ranks higher.
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
    """Divide the logits by the temperature, which must be above 0.

    A temperature below 1 makes likely tokens more likely; a temperature above 1 flattens the
    distribution. The ranking of the tokens does not change.
    """
    return logits / value


def repetition_penalty(logits: Tensor, value: float, seen: Collection[int]) -> Tensor:
    """Lower the logit of every token in `seen`.

    The penalty does not depend on how often a token occurred. A `value` of 1 changes nothing.
    """
    if not seen:
        return logits
    ids = torch.tensor(sorted(set(seen)))
    scores = logits[ids]
    return logits.index_copy(0, ids, torch.where(scores > 0, scores / value, scores * value))


def top_k(logits: Tensor, count: int) -> Tensor:
    """Keep the `count` highest logits, or all of them if `count` is 0."""
    return logits if count == 0 else _keep_highest(logits, count)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the smallest set of most probable tokens whose probabilities sum to at least `p`.

    A `p` of 1 keeps all tokens.
    """
    if p >= 1:
        return logits
    return _keep_highest(logits, nucleus(logits, probabilities(logits), len(logits), p))


def min_p(logits: Tensor, ratio: float) -> Tensor:
    """Keep the tokens that are at least `ratio` times as probable as the most probable one.

    A `ratio` of 0 keeps all tokens. The log of a ratio of probabilities is a difference of logits,
    so no softmax is needed.
    """
    if ratio == 0:
        return logits
    return logits.masked_fill(logits < logits.max() + math.log(ratio), REMOVED)


def probabilities(logits: Tensor) -> Tensor:
    """Return the softmax of logits [V] as 64-bit floats."""
    return torch.softmax(logits.double(), dim=-1)


def stages(
    logits: Tensor, dials: Dials, order: Iterable[StepName], seen: Collection[int]
) -> Iterator[tuple[Stage, Tensor]]:
    """Apply the steps in `order`, and yield a summary and the new logits [V] after each step.

    `logits` [V] are the model's output at the end of a text, and `seen` are the text's token ids.
    """
    steps = _steps(dials, seen)
    for name in order:
        before, logits = logits, steps[name](logits)
        cut = (logits == REMOVED) & (before != REMOVED)
        removed = float(probabilities(before)[cut].sum())
        kept = int((logits != REMOVED).sum())
        yield Stage(name, kept, removed, entropy_bits(probabilities(logits))), logits


def apply(logits: Tensor, dials: Dials, order: Iterable[StepName], seen: Collection[int]) -> Tensor:
    """Apply the steps in `order` to logits [V], and return the new logits [V]."""
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
    """Set all logits except the `count` highest to minus infinity.

    If two tokens have equal logits, the token with the lower id ranks higher.
    """
    keep = torch.zeros(len(logits), dtype=torch.bool)
    keep[ranked(logits, min(count, len(logits)))] = True
    return logits.masked_fill(~keep, REMOVED)
