"""Data types for passages and search results."""

from __future__ import annotations

import msgspec


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """A part of a text that a search can find.

    `source` is the path of the file in its folder. `anchor` is the id of the heading above the
    passage, or empty. `line` is the number of the passage's first line, from 1. `heading` is the
    text of the heading above the passage or, if there is none, a title or the name of the file.
    """

    source: str
    anchor: str
    line: int
    heading: str
    text: str

    @property
    def id(self) -> str:
        """The link to the passage in its file, such as `05-attention.md#heads`."""
        return f"{self.source}#{self.anchor}" if self.anchor else self.source


class Found(msgspec.Struct, frozen=True, array_like=True):
    """A search result: a passage with its score. A higher score is better.

    `marks` contains the positions of the query's words in `passage.text`, as pairs (start, end) of
    character indices.
    """

    passage: Passage
    score: float
    marks: tuple[tuple[int, int], ...] = ()
