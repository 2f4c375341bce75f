"""Beam search: keep the few most probable continuations so far, not just one.

Greedy decoding takes the most probable token each time, and can so miss a continuation that begins
with a less probable token and is more probable as a whole. Beam search goes on with the `width`
best beginnings at once: each is continued by its `width` most probable tokens, and of all these the
`width` best by their sum of log-probabilities stay (Lowerre 1976; Sutskever et al. 2014 for
neural networks). Width 1 is greedy decoding. The sums favor short texts, as every token more adds
a negative number; here all beams are as long as each other, unless one has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import torch
from torch import Tensor

from tutor.lm.sampling import ranked


class Beam(msgspec.Struct, frozen=True):
    """The tokens after the prompt, and the sum of their log-probabilities, in nats."""

    ids: tuple[int, ...] = ()
    log_probability: float = 0.0
    ended: bool = False


def widen(
    beams: Sequence[Beam], logits: Sequence[Tensor], width: int, end_ids: Sequence[int]
) -> tuple[Beam, ...]:
    """The `width` best beams that are one token longer, best first. `logits` [V] are those after
    each beam; those of one that has ended are not looked at: it stays as it is."""
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
