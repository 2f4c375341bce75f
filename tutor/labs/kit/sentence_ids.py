"""Tokenization for labs that process only short texts.

Requests can come from any program. Tokenizing a text of a few megabytes takes seconds, and no other
request is answered during that time. So texts that are too long for a lab are rejected.
"""

from __future__ import annotations

from collections.abc import Iterable

from tutor.labs.kit.sentence import short
from tutor.lm.chat import text_ids
from tutor.lm.language_model import LanguageModel


def tokens_of(model: LanguageModel, text: str, most: int) -> tuple[list[int], int]:
    """Return the ids of the first `most` tokens, and the number of tokens after them.

    Raises `TextError` if the text is too long, or the vocabulary can't represent it.
    """
    ids = short_ids(model, text)
    return ids[:most], max(0, len(ids) - most)


def short_ids(model: LanguageModel, text: str) -> list[int]:
    """Return the ids of all tokens.

    Raises `TextError` if the text is too long, or the vocabulary can't represent it.
    """
    return text_ids(model, short(text))


def single_tokens(model: LanguageModel, words: Iterable[str]) -> list[int]:
    """Return the ids of the words that are single tokens.

    Each word is tokenized with a leading space, unless it begins with an apostrophe.
    """
    spelled = (word if word.startswith("'") else f" {word}" for word in words)
    ids = (model.tokenizer.encode(word) for word in spelled)
    return [each[0] for each in ids if len(each) == 1]
