"""The tokens of a text, as many as a lab looks into."""

from __future__ import annotations

from tutor.lm.chat import text_ids
from tutor.lm.language_model import LanguageModel


def tokens_of(model: LanguageModel, text: str, most: int) -> tuple[list[int], int]:
    """The first `most` tokens of `text`, and how many are left out. Raises `TextError`."""
    ids = text_ids(model, text)
    return ids[:most], max(0, len(ids) - most)
