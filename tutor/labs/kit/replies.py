"""Answers that grow by one token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tutor.labs.kit.reply import Reply

if TYPE_CHECKING:
    from torch import Tensor

    from tutor.lm.load import LanguageModel


def log_probabilities(logits: Tensor) -> Tensor:
    """[V], of the model's own distribution, in 64-bit floats."""
    return torch.log_softmax(logits.double(), dim=-1)


def longer(model: LanguageModel, reply: Reply, id_: int, log_probability: float) -> Reply:
    """`reply` with this token at its end."""
    data = model.tokenizer.token(id_).data
    return Reply(
        (*reply.ids, id_),
        (*reply.pieces, data),
        (*reply.logs, log_probability),
        id_ in model.tokenizer.end_ids or b"\n" in data,
    )
