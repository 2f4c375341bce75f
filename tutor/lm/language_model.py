"""A loaded model: a network, its tokenizer and its chat template."""

from __future__ import annotations

from dataclasses import dataclass

from tutor.lm.distribution import ModelCard
from tutor.lm.network import Transformer
from tutor.lm.tokenizer import Tokenizer


@dataclass(frozen=True)
class LanguageModel:
    """A network with its tokenizer and chat template, ready to run.

    `chat_template` is a Jinja template, or None for a model that was not made for conversations.
    """

    card: ModelCard
    network: Transformer
    tokenizer: Tokenizer
    chat_template: str | None
