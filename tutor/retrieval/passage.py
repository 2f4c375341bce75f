"""What is found: a piece of a text that can stand alone, and where it is from."""

from __future__ import annotations

import msgspec


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """`source` is the file, as it is named within its folder; `anchor` the id of the screen or
    term there, empty where there is none; `line` (from 1) where the passage begins. `heading` is
    the nearest heading above, or the name of the file."""

    source: str
    anchor: str
    line: int
    heading: str
    text: str

    @property
    def id(self) -> str:
        """What names the place that it is from, as a link does: `05-attention.md#heads`."""
        return f"{self.source}#{self.anchor}" if self.anchor else self.source


class Found(msgspec.Struct, frozen=True, array_like=True):
    """A passage with its score, the higher the better. `marks` are the words of `passage.text`
    that the query has too, as pairs of places in it: from, to."""

    passage: Passage
    score: float
    marks: tuple[tuple[int, int], ...] = ()
