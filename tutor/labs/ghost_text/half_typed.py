"""Complete text at a cursor that may be inside a token.

A model is trained on texts that were tokenized as a whole. Suppose that a text stops inside what
would have been one token, as in "retu", or after the space before a word. Then its last tokens are
an unlikely way to tokenize the finished text, and the model continues the text badly.

So we remove the tokens of the last word, and let the model choose among all tokens that match the
removed bytes. For example, "retu" can become "return". This is known as token healing. Whitespace
at the end is removed, too: in code, the last space of an indent belongs to the token of the next
word.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import chain, takewhile

from tutor.lm.tokenizer import Tokenizer

_LAST_WORD = re.compile(r"\s*\w*\Z")
_MOST = 8
"""The maximum number of tokens to remove. If a word has more tokens, its first tokens are kept."""


def take_back(tokenizer: Tokenizer, text: str) -> tuple[list[int], bytes]:
    """Return the tokens of `text` before its last word, and the bytes of that word.

    The result has at least one token, even if the text is a single word. Raises `TextError` if the
    text cannot be tokenized.
    """
    ids = tokenizer.encode(text)
    last_word = _LAST_WORD.search(text)
    assert last_word is not None  # The pattern also matches the empty string.
    typed = b""
    kept = len(ids)
    while kept > max(1, len(ids) - _MOST) and len(typed) < len(last_word[0].encode()):
        kept -= 1
        typed = tokenizer.token(ids[kept]).data + typed
    return ids[:kept], typed


class Beginnings:
    """All tokens of a vocabulary, sorted by their bytes.

    `size` is the number of logits that the model returns, which can differ from the number of
    tokens.
    """

    def __init__(self, tokenizer: Tokenizer, size: int) -> None:
        special = set(tokenizer.special_ids.values())
        ids = (id_ for id_ in range(size) if id_ not in special)
        entries = sorted((data, id_) for id_ in ids if (data := tokenizer.token(id_).data))
        self._data = [data for data, _ in entries]
        self._ids = [id_ for _, id_ in entries]

    def fitting(self, typed: bytes) -> list[int]:
        """Return the ids of all tokens that begin with `typed` or are a prefix of it."""
        shorter = (self._exactly(typed[:size]) for size in range(1, len(typed)))
        first = bisect_left(self._data, typed)
        longer = takewhile(
            lambda at: self._data[at].startswith(typed), range(first, len(self._data))
        )
        return [*chain.from_iterable(shorter), *(self._ids[at] for at in longer)]

    def _exactly(self, data: bytes) -> list[int]:
        return self._ids[bisect_left(self._data, data) : bisect_right(self._data, data)]
