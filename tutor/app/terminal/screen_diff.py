"""Send only the cells of the screen that have changed.

Textual sends every cell of a region that may have changed. If one digit in a row of numbers has
changed, it sends the whole row with all its colors. If half of the cells have changed, it sends the
whole screen.

Here, each update is first drawn into a copy of the screen in memory. Then only the cells that
differ from what the terminal shows are sent, even if there were several updates in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import COLOR_SYSTEMS
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.color import ColorSystem
    from rich.console import Console
    from textual.geometry import Size


@dataclass(frozen=True)
class _Attributes:
    """The escape codes for a style: weight, foreground and background.

    By default, the terminal's own colors are used.
    """

    weight: str = ""
    foreground: str = "39"
    background: str = "49"


_PLAIN = _Attributes()


class AnsiWriter:
    """A writer of text with ANSI escape codes.

    The text begins and ends with all attributes switched off.
    """

    def __init__(self, color_system: str | None) -> None:
        """Create a writer for a color system of `rich.console.Console.color_system`."""
        self._colors = COLOR_SYSTEMS.get(color_system or "truecolor", COLOR_SYSTEMS["truecolor"])
        self._written: list[str] = []
        self._set = _PLAIN

    def move_to(self, x: int, y: int) -> None:
        self._written.append(f"\x1b[{y + 1};{x + 1}H")

    def write(self, text: str, style: Style | None) -> None:
        wanted = _PLAIN if style is None else _attributes_of(style, self._colors)
        self._written += (self._change_to(wanted), text)

    def finish(self) -> str:
        """Return everything that was written, followed by a code that resets all attributes."""
        self._written.append("" if self._set == _PLAIN else "\x1b[0m")
        self._set = _PLAIN
        return "".join(self._written)

    def _change_to(self, wanted: _Attributes) -> str:
        before, self._set = self._set, wanted
        # There is no code that resets only one of the attributes.
        if wanted.weight != before.weight:
            before = _PLAIN
            codes = ["0", wanted.weight] if wanted.weight else ["0"]
        else:
            codes = []
        if wanted.foreground != before.foreground:
            codes.append(wanted.foreground)
        if wanted.background != before.background:
            codes.append(wanted.background)
        return f"\x1b[{';'.join(codes)}m" if codes else ""


@lru_cache(maxsize=1024)
def _attributes_of(style: Style, colors: ColorSystem) -> _Attributes:
    weight = Strip.render_ansi(style.without_color, colors)
    foreground = Strip.render_ansi(Style(color=style.color), colors)
    background = Strip.render_ansi(Style(bgcolor=style.bgcolor), colors)
    return _Attributes(weight, foreground or _PLAIN.foreground, background or _PLAIN.background)


JUMP = 8
"""The maximum number of unchanged cells to send between two changed cells.

If there are more, moving the cursor over them takes fewer bytes than sending them.
"""

Cell = tuple[str, Style | None]


class Changes(CompositorUpdate):
    """An update that consists of the text to send to the terminal."""

    def __init__(self, written: str) -> None:
        self.written = written

    def render_segments(self, console: Console) -> str:
        return self.written

    def __rich__(self) -> str:
        return self.written


class ScreenDiff:
    """A copy of a terminal's screen.

    `put` draws an update into the copy, and `changes` returns the output to send to the terminal.
    """

    def __init__(self) -> None:
        self.wanted: list[Strip] = []
        """The rows that the terminal should show."""
        self._shown: list[Strip | None] = []
        """The rows that the terminal shows now. A row is None if its content is unknown."""

    def forget(self) -> None:
        """Forget what the terminal shows, so that the whole screen is sent again."""
        self._shown = [None] * len(self.wanted)

    def put(self, update: CompositorUpdate, size: Size) -> None:
        """Draw an update into the copy. `size` is the size of the terminal."""
        if (len(self.wanted), self._width) != (size.height, size.width):
            self.wanted = [Strip.blank(size.width)] * size.height
            self.forget()
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips[: size.height], update.region.y):
                self.wanted[y] = Strip.join(strips).adjust_cell_length(size.width)
        elif isinstance(update, ChopsUpdate):
            for y, x, strip in _pieces(update):
                if y < size.height:
                    self.wanted[y] = _with(self.wanted[y], x, strip)

    def changes(self, color_system: str | None) -> Changes | None:
        """Return the output that updates the terminal, or None if there are no changes.

        The caller must send the output, because the copy then assumes that the terminal shows it.
        """
        writer = AnsiWriter(color_system)
        for y, (before, row) in enumerate(zip(self._shown, self.wanted, strict=True)):
            for x, cells in _spans(before, row):
                writer.move_to(x, y)
                for style, run in groupby(cells, key=lambda cell: cell[1]):
                    writer.write("".join(text for text, _ in run), style)
        self._shown = list(self.wanted)
        written = writer.finish()
        return Changes(written) if written else None

    @property
    def _width(self) -> int:
        return self.wanted[0].cell_length if self.wanted else 0


def _pieces(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Yield (row, column, strip) for each part of the screen that the update changes."""
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > last or end <= first:
                continue
            whole = first <= x < last and end <= last
            yield y, x, strip if whole else strip.crop(0, min(end, last) - x)


def _with(row: Strip, x: int, strip: Strip) -> Strip:
    width = row.cell_length
    parts = [row.crop(0, x), strip, row.crop(x + strip.cell_length)]
    return Strip.join(parts).adjust_cell_length(width)


def _spans(before: Strip | None, row: Strip) -> Iterable[tuple[int, Sequence[Cell]]]:
    """Yield (column, cells) for each changed part of a row.

    If a character is not exactly one cell wide, the whole row is sent. Terminals disagree about the
    width of such characters, and therefore about the position of the characters after them.
    """
    if before is row or before == row:
        return
    if before is None or not (_simple(row) and _simple(before)):
        yield 0, [(segment.text, segment.style) for segment in row]
        return
    cells = _cells(row)
    pairs = zip(_cells(before), cells, strict=True)
    changed = [x for x, (old, new) in enumerate(pairs) if _differ(old, new)]
    start = end = None
    for x in changed:
        if start is None or end is None:
            start = x
        elif x - end > JUMP:
            yield start, cells[start:end]
            start = x
        end = x + 1
    if start is not None:
        yield start, cells[start:end]


def _differ(before: Cell, cell: Cell) -> bool:
    (old_text, old_style), (text, style) = before, cell
    return text != old_text or (style is not old_style and style != old_style)


def _cells(row: Strip) -> list[Cell]:
    return [(character, segment.style) for segment in row for character in segment.text]


def _simple(row: Strip) -> bool:
    return len(row.text) == row.cell_length and _narrow(row.text)


@lru_cache(maxsize=1024)
def _narrow(text: str) -> bool:
    return text.isascii() or all(cell_len(character) == 1 for character in text)
