"""Beam search: keep the few most probable continuations so far, not just one.

Greedy decoding takes the most probable token each time, so it can miss a continuation that begins
with a less probable token but is more probable as a whole. Beam search extends the `width` best
beams at once: each is extended by its `width` most probable tokens, and of all candidates the
`width` with the highest sum of log-probabilities are kept (Lowerre 1976; Sutskever et al. 2014 for
neural networks). Width 1 is greedy decoding. The sums favor short texts, since every further token
adds a negative number; here all beams have the same length, unless one has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import torch
from torch import Tensor

from tutor.lm.sampling import ranked


class Beam(msgspec.Struct, frozen=True):
    """A candidate: its tokens after the prompt, and the sum of their log-probabilities in nats."""

    ids: tuple[int, ...] = ()
    log_probability: float = 0.0
    ended: bool = False


def widen(
    beams: Sequence[Beam], logits: Sequence[Tensor], width: int, end_ids: Sequence[int]
) -> tuple[Beam, ...]:
    """Return the `width` best beams after one more token, best first.

    `logits` has one [V] for each beam, taken after its last token. A beam that has ended stays as
    it is, and its logits are ignored.
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
