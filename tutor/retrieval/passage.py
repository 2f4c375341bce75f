"""A passage: a part of a text that can be understood alone, and where it is from."""

from __future__ import annotations

import msgspec


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """A part of a text.

    `source` is the file, by its name within its folder. `anchor` is the id of the screen or term
    there, or empty. `line` (from 1) is where the passage begins, and `heading` the nearest heading
    above it, or the name of the file.
    """

    source: str
    anchor: str
    line: int
    heading: str
    text: str

    @property
    def id(self) -> str:
        """The link to the passage's source: `05-attention.md#heads`."""
        return f"{self.source}#{self.anchor}" if self.anchor else self.source


class Found(msgspec.Struct, frozen=True, array_like=True):
    """A passage with its score; higher is better.

    `marks` are the words of `passage.text` that are also in the query, as pairs of start and end.
    """

    passage: Passage
    score: float
    marks: tuple[tuple[int, int], ...] = ()
