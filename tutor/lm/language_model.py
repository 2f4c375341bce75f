"""A loaded model: a network, its tokenizer and its chat template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tutor.lm.distribution import ModelCard, Token
from tutor.lm.network import Transformer
from tutor.lm.tokenizer import Tokenizer


class Vocabulary(Protocol):
    """The methods that a tokenizer needs for texts, conversations and searches.

    Both `tutor.lm.tokenizer` and the tokenizer of llama.cpp implement them.
    """

    @property
    def start_ids(self) -> tuple[int, ...]: ...

    @property
    def end_ids(self) -> tuple[int, ...]: ...

    @property
    def special_ids(self) -> dict[str, int]: ...

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Iterable[int]) -> bytes: ...

    def token(self, id_: int) -> Token: ...

    def tokens(self, ids: Iterable[int]) -> tuple[Token, ...]: ...

    def containing(self, query: str) -> list[int]: ...

    def texts(self) -> list[str]: ...


class WithVocabulary(Protocol):
    """A model with a tokenizer and, if it was made for conversations, a chat template."""

    @property
    def tokenizer(self) -> Vocabulary: ...

    @property
    def chat_template(self) -> str | None: ...


@dataclass(frozen=True)
class LanguageModel:
    """A network with its tokenizer and chat template, ready to run.

    `chat_template` is a Jinja template, or None for a model that was not made for conversations.
    """

    card: ModelCard
    network: Transformer
    tokenizer: Tokenizer
    chat_template: str | None
