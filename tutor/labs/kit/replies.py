"""Answers that grow by one token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from tutor.labs.kit.reply import Reply
    from tutor.lm.language_model import LanguageModel


def log_probabilities(logits: Tensor) -> Tensor:
    """[V], of the model's own distribution, in 64-bit floats."""
    return torch.log_softmax(logits.double(), dim=-1)


def longer(model: LanguageModel, reply: Reply, id_: int, log_probability: float) -> Reply:
    """`reply` with this token at its end."""
    data = model.tokenizer.token(id_).data
    return msgspec.structs.replace(
        reply,
        ids=(*reply.ids, id_),
        pieces=(*reply.pieces, data),
        logs=(*reply.logs, log_probability),
        ended=id_ in model.tokenizer.end_ids or b"\n" in data,
    )
