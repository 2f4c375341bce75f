"""Words to tokens, for the backends about embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.errors import TextError
from tutor.lm.embeddings.words import forms

if TYPE_CHECKING:
    from tutor.labs.kit.words.word import Form
    from tutor.lm.tokenizer import Tokenizer


def forms_of(tokenizer: Tokenizer, word: str) -> tuple[Form, ...]:
    """All ways to cut `word`, at least one. Raises `TextError`."""
    found = forms(tokenizer, word)
    if not found:
        raise TextError("There is no word.", "Write at least one letter.")
    return found


def form_of(tokenizer: Tokenizer, word: str) -> Form:
    """The first way to cut `word`: as one token if it can be. Raises `TextError`."""
    return forms_of(tokenizer, word)[0]
