"""Text in which the color of each token, and a bar below it, show the token's surprisal."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.text_view import wrap
from tutor.app.widgets import bars
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.text_view import Line


FINER = 4
"""The factor by which bars are taller here than in the stepper. One level of a bar is half a bit.
Greedy answers have low surprisal, so without this factor, their bars would all look alike."""


def surprising(
    pieces: Sequence[bytes], bits: Sequence[float], width: int, rows: int
) -> list[Content]:
    """Return the text, wrapped to `width` columns, with a row of bars below each line.

    `pieces` contains the bytes of each token, and `bits` the surprisal of each token in bits. If
    the text has more than `rows` lines, it is cut off, and the last line ends in `…`.
    """
    lines = wrap(_texts(pieces), max(4, width - 1))
    shown: list[Content] = []
    for number, line in enumerate(lines[:rows]):
        more = "…" if number == rows - 1 and len(lines) > rows else ""
        text = [(run.text, theme.likely(2.0 ** -bits[run.index])) for run in line.runs]
        shown += [Content.assemble(*text, (more, theme.MUTED)), _bars(line, bits)]
    return shown


def _texts(pieces: Sequence[bytes]) -> list[str]:
    """Return the text of each token.

    A character that is split across several tokens belongs to the last of them.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    last = len(pieces) - 1
    return [safe(decoder.decode(data, at == last)) for at, data in enumerate(pieces)]


def _bars(line: Line, bits: Sequence[float]) -> Content:
    parts: list[tuple[str, str]] = []
    for run in line.runs:
        blank = len(run.text) - len(run.text.lstrip(" "))
        bar = " " * blank + bars.level(FINER * bits[run.index]) * (run.width - blank)
        parts.append((bar, theme.likely(2.0 ** -bits[run.index])))
    return Content.assemble(*parts)
