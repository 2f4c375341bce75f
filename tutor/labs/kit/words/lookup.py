"""Find the tokens of words, for the backends of the labs on embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.errors import TextError
from tutor.lm.embeddings.words import forms

if TYPE_CHECKING:
    from tutor.labs.kit.words.word import Form
    from tutor.lm.tokenizer import Tokenizer


def forms_of(tokenizer: Tokenizer, word: str) -> tuple[Form, ...]:
    """Return all spellings of `word` as tokens, with and without a leading space or a capital.

    The result has at least one spelling. Raises `TextError` if the word is empty.
    """
    found = forms(tokenizer, word)
    if not found:
        raise TextError("The word is empty.", "Enter at least one letter.")
    return found


def form_of(tokenizer: Tokenizer, word: str) -> Form:
    """Return the preferred spelling of `word`, a single token if possible.

    Raises `TextError` if the word is empty.
    """
    return forms_of(tokenizer, word)[0]
