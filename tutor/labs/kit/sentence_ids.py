"""Tokenization for labs that process only the first tokens of a text."""

from __future__ import annotations

from tutor.lm.chat import text_ids
from tutor.lm.language_model import LanguageModel


def tokens_of(model: LanguageModel, text: str, most: int) -> tuple[list[int], int]:
    """Return the ids of the first `most` tokens, and the number of tokens after them.

    Raises `TextError` if the vocabulary cannot express the text.
    """
    ids = text_ids(model, text)
    return ids[:most], max(0, len(ids) - most)
