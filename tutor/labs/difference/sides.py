"""The two sides of the comparison, and their distributions at each pair of positions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.labs.difference.questions import LISTED, Compared
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.lm import sampling
from tutor.lm.comparison import PositionPair
from tutor.lm.distribution import SamplerSettings
from tutor.lm.divergence import Contrast, contrast
from tutor.lm.language_model import LanguageModel


class StreamSide(NamedTuple):
    """A or B: the model, the residual stream [T, width] after its last block, and the sampler."""

    model: LanguageModel
    stream: Tensor
    sampler: SamplerSettings

    @torch.inference_mode()
    def logits(self, position: int) -> Tensor:
        """Return the logits [V] for the token after the first `position` tokens."""
        return self.model.network.lens(self.stream[position - 1]).cpu().float()


def compared(
    a: StreamSide, b: StreamSide, places: Sequence[PositionPair], seconds: float
) -> tuple[Compared, ...]:
    """Compare A and B at each pair of positions, until `seconds` have passed.

    The result has at least one comparison, unless `places` is empty.
    """
    until = time.perf_counter() + seconds
    found = []
    for place in places:
        both = contrast(a.logits(place.a), b.logits(place.b), a.sampler, b.sampler)
        # Rounding errors can make the divergence of equal distributions negative.
        bits, reverse_bits = max(0.0, both.bits), max(0.0, both.reverse_bits)
        found.append(Compared(bits, reverse_bits, _rows(a.model, both)))
        if time.perf_counter() >= until:
            break
    return tuple(found)


def _rows(model: LanguageModel, both: Contrast) -> tuple[NextRow, ...]:
    """Return the most probable tokens of A and of B, and the tokens that change most."""
    before, after = both.a.sampled, both.b.sampled
    ids: dict[int, None] = {}
    for scores in (before, after, both.change.abs()):
        ids |= dict.fromkeys(sampling.ranked(scores, min(LISTED, len(scores))).tolist())
    token = model.tokenizer.token
    rows = (NextRow(token(id_), float(before[id_]), float(after[id_])) for id_ in ids)
    return tuple(row for row in rows if row.before or row.after)
