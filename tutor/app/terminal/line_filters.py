"""Filters that adapt the screen to simple terminals and screen readers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

from tutor.text import in_ascii

if TYPE_CHECKING:
    from textual.color import Color


class AsciiOnly(LineFilter):
    """A filter that replaces all non-ASCII characters.

    The filter is applied after the layout, so each replacement has the width of the original.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text if text.isascii() else _translated(text), style, control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _translated(text: str) -> str:
    return in_ascii(text, cell_len)


class WithoutDrawings(LineFilter):
    """A filter that replaces bars, lines and boxes with spaces.

    A screen reader would read each of these characters aloud.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text if text.isascii() else _undrawn(text), style, control)
            for text, style, control in segments
        ]


def _undrawn(text: str) -> str:
    return _DRAWN.sub(" ", text.translate(_TICKS))


_TICKS = str.maketrans("■□", "x-")
_DRAWN = re.compile(r"[\u2500-\u25ff\u2800-\u28ff]")


class Colorless(LineFilter):
    """A filter that removes all colors, but keeps bold, underline and reverse video."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, style and _without_color(style), control)
            for text, style, control in segments
        ]


@lru_cache(1024)
def _without_color(style: Style) -> Style:
    return Style(
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
        strike=style.strike,
    )
