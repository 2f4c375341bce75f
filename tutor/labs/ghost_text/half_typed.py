"""Going on from where somebody is typing, which need not be where a token ends.

A model has read texts that were cut into tokens as a whole. Where a text stops in the middle of
what would have been one token ("retu", or the space before a word), its pieces are an unlikely
way to write it, and the model goes on badly. So the last word is taken back, and the model
chooses among all tokens that agree with its bytes: "retu" may become "return". (Known as token
healing.) So is white space at the end: in code the last space of an indent belongs to the word
after it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import chain, takewhile

from tutor.lm.tokenizer import Tokenizer

_LAST_WORD = re.compile(r"\s*\w*\Z")
_MOST = 8
"""Tokens that are taken back; a longer word is left as it is at its beginning."""


def take_back(tokenizer: Tokenizer, text: str) -> tuple[list[int], bytes]:
    """The tokens of `text` without those at its end that may yet change, and the bytes of these.

    At least one token is left. Raises `TextError` for what has no tokens.
    """
    ids = tokenizer.encode(text)
    last_word = _LAST_WORD.search(text)
    assert last_word is not None  # it may be empty
    typed = b""
    kept = len(ids)
    while kept > max(1, len(ids) - _MOST) and len(typed) < len(last_word[0].encode()):
        kept -= 1
        typed = tokenizer.token(ids[kept]).data + typed
    return ids[:kept], typed


class Beginnings:
    """All tokens of a vocabulary by their bytes. `size` is that of the network's last layer,
    which may have more rows than there are tokens, or fewer."""

    def __init__(self, tokenizer: Tokenizer, size: int) -> None:
        special = set(tokenizer.special_ids.values())
        ids = (id_ for id_ in range(size) if id_ not in special)
        entries = sorted((data, id_) for id_ in ids if (data := tokenizer.token(id_).data))
        self._data = [data for data, _ in entries]
        self._ids = [id_ for _, id_ in entries]

    def fitting(self, typed: bytes) -> list[int]:
        """Ids of the tokens that go on with what was `typed`: those that begin with it, and those
        that it begins with."""
        shorter = (self._exactly(typed[:size]) for size in range(1, len(typed)))
        first = bisect_left(self._data, typed)
        longer = takewhile(
            lambda at: self._data[at].startswith(typed), range(first, len(self._data))
        )
        return [*chain.from_iterable(shorter), *(self._ids[at] for at in longer)]

    def _exactly(self, data: bytes) -> list[int]:
        return self._ids[bisect_left(self._data, data) : bisect_right(self._data, data)]
