"""A loaded model, which all work with it starts from."""

from __future__ import annotations

from dataclasses import dataclass

from tutor.lm.distribution import ModelCard
from tutor.lm.network import Transformer
from tutor.lm.tokenizer import Tokenizer


@dataclass(frozen=True)
class LanguageModel:
    """A model that can be asked. `chat_template` is a Jinja template; None for a model that was
    not made for conversations."""

    card: ModelCard
    network: Transformer
    tokenizer: Tokenizer
    chat_template: str | None
