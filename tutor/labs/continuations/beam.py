"""Implements beam search, which keeps several continuations at each step instead of just one.

Greedy decoding takes the most probable token each time, so it can miss a continuation that begins
with a less probable token but is more probable as a whole. Beam search keeps the `width` best
continuations so far, the beams. At each step, it extends every beam with its `width` most probable
tokens. Of all these candidates, it keeps the `width` candidates with the highest sum of
log-probabilities (Lowerre 1976; Sutskever et al. 2014 for neural networks). With width 1, this is
greedy decoding.

The sums favor short texts, since every token adds a negative number. Here, all beams have the same
length unless one has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import torch
from torch import Tensor

from tutor.lm.sampling import ranked


class Beam(msgspec.Struct, frozen=True):
    """A candidate: its tokens after the prompt, and the sum of their log-probabilities, in nats."""

    ids: tuple[int, ...] = ()
    log_probability: float = 0.0
    ended: bool = False


def widen(
    beams: Sequence[Beam], logits: Sequence[Tensor], width: int, end_ids: Sequence[int]
) -> tuple[Beam, ...]:
    """Extend the beams by one token, and return the `width` best, sorted from best to worst.

    `logits` has a tensor [V] for each beam: the logits after its last token. A beam that has ended
    stays unchanged, and its logits are ignored.
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
