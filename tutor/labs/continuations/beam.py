"""Beam search, which keeps several continuations at each step instead of only one.

Greedy decoding always takes the most probable token. It misses a continuation that begins with a
less probable token, even if the whole continuation is more probable.

Beam search keeps the `width` best continuations so far, called beams. At each step, it extends
every beam by each of the beam's `width` most probable tokens. Of these candidates, it keeps the
`width` with the highest sums of log-probabilities (Lowerre 1976; Sutskever et al. 2014 for neural
networks). With a width of 1, beam search is greedy decoding.

The sum favors short texts, because every token adds a negative number. In this lab, all beams have
the same length, unless one of them has reached an end token.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import torch
from torch import Tensor

from tutor.lm.sampling import ranked


class Beam(msgspec.Struct, frozen=True):
    """A beam: the token ids after the prompt, and the sum of their log-probabilities in nats."""

    ids: tuple[int, ...] = ()
    log_probability: float = 0.0
    ended: bool = False


def widen(
    beams: Sequence[Beam], logits: Sequence[Tensor], width: int, end_ids: Sequence[int]
) -> tuple[Beam, ...]:
    """Extend the beams by one token, and return the `width` best, sorted from best to worst.

    `logits` has one tensor [V] for each beam, with the logits of the next token. A beam that has
    ended doesn't change, and its logits are ignored.
    """
    candidates: list[Beam] = []
    for beam, scores in zip(beams, logits, strict=True):
        if beam.ended:
            candidates.append(beam)
            continue
        log_probabilities = torch.log_softmax(scores.double(), dim=-1)
        for id_ in ranked(scores, width).tolist():
            total = beam.log_probability + float(log_probabilities[id_])
            candidates.append(Beam((*beam.ids, id_), total, id_ in end_ids))
    candidates.sort(key=lambda beam: -beam.log_probability)
    return tuple(candidates[:width])
