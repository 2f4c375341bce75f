"""A view of a text's tokens, with the surprisal of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from textual.content import Content
from textual.message import Message

from tutor.app import theme
from tutor.app.widgets import bars
from tutor.app.widgets.lines import Lines, centered
from tutor.text import decoded, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click
    from textual.selection import Selection

    from tutor.lm.token_tree import Step

CURSOR = "▏"
WINDOW = 500
_NEWLINE = "⏎"


@dataclass(frozen=True, slots=True)
class Run:
    """A token, or a part of a token, on one line of text. `index` is the token's position."""

    text: str
    index: int
    width: int


@dataclass(slots=True)
class Line:
    runs: list[Run] = field(default_factory=list)
    width: int = 0

    def add(self, run: Run) -> None:
        self.runs.append(run)
        self.width += run.width


def token_texts(steps: Sequence[Step], *, marks: bool) -> list[str]:
    """Return the text to show for each token.

    If several tokens form one character, the character is shown with the last of them. Special
    tokens have no text unless `marks` is true.
    """
    return decoded(step.token.data if marks or not step.token.special else b"" for step in steps)


def wrap(texts: Sequence[str], width: int, newline: str = _NEWLINE) -> list[Line]:
    """Wrap text into lines of at most `width` cells, preferably at spaces.

    `newline` is shown at the end of a line for each line break in the text.
    """
    lines = [Line()]
    for index, text in enumerate(texts):
        parts = text.split("\n")
        for number, part in enumerate(parts):
            breaks = number < len(parts) - 1
            if part or breaks:
                _place(lines, part + (newline if breaks else ""), index, width)
            if breaks:
                lines.append(Line())
    return lines


def _place(lines: list[Line], text: str, index: int, width: int) -> None:
    size = cell_len(text)
    line = lines[-1]
    if line.width + size <= width:
        line.add(Run(text, index, size))
        return
    if text.startswith(" "):
        lines.append(Line())
        text = text[1:]
    else:
        lines.append(_last_word(line, width - size))
    for number, part in enumerate(chop_cells(text, max(2, width - lines[-1].width))):
        if number:
            lines.append(Line())
        lines[-1].add(Run(part, index, cell_len(part)))


def _last_word(line: Line, room: int) -> Line:
    """Move the last word of a line to a new line, and return the new line.

    A word that takes more than `room` cells is not moved, so the new line is empty.
    """
    moved = Line()
    for place in range(len(line.runs) - 1, 0, -1):
        run = line.runs[place]
        if run.text.startswith(" "):
            taken = line.runs[place:]
            if sum(item.width for item in taken) - 1 > room:
                return moved
            del line.runs[place:]
            line.width -= sum(item.width for item in taken)
            for number, item in enumerate(taken):
                moved.add(Run(item.text[1:], item.index, item.width - 1) if not number else item)
            return moved
    return moved


def window(length: int, focus: int) -> tuple[int, int]:
    """Return the range of tokens to lay out, which is large enough for any view around the focus.

    The range starts at a multiple of `WINDOW`, so that the lines do not break differently after
    each step.
    """
    start = max(0, (focus // WINDOW - 1) * WINDOW)
    return start, min(length, focus + WINDOW)


def focused_line(lines: Sequence[Line], focus: int) -> int:
    """Return the index of the line on which the token at position `focus` begins.

    If `focus` is past the last token, return the index of the last line.
    """
    for number, line in enumerate(lines):
        if any(run.index >= focus for run in line.runs):
            return number
    return len(lines) - 1


class TextView(Lines):
    """A view of a text, wrapped to the width and scrolled to the token in focus.

    Below each line of text, bars show the surprisal of the tokens: the higher the bar, the more
    surprising the token. The first token has no bar, because the model does not predict it.
    """

    @dataclass
    class Clicked(Message):
        """Posted when the learner clicks the token at `position`."""

        position: int

    _laid_out: tuple[list[Line], int] = ([], 0)
    """The visible lines, and the position of the first token in the range that was laid out."""
    _barred = False

    def on_click(self, event: Click) -> None:
        lines, start = self._laid_out
        row = event.y // (2 if self._barred else 1)
        left = 0
        for run in lines[row].runs if row < len(lines) else ():
            left += run.width
            if event.x < left:
                self.post_message(self.Clicked(start + run.index))
                return

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that is selected with the mouse, without the bars between its lines."""
        found = super().get_selection(selection)
        if found is None or not self._barred:
            return found
        text, end = found
        first = 0 if selection.start is None else selection.start.y
        lines = (line for y, line in enumerate(text.split("\n"), first) if y % 2 == 0)
        return "\n".join(lines), end

    def update(
        self, steps: Sequence[Step], focus: int, *, marks: bool, rows: int, barred: bool
    ) -> None:
        """Show at most `rows` lines of the text.

        `focus` is the position of the token in focus, or `len(steps)` for the end of the text.
        """
        self.draw_with(partial(self._lay_out, steps, focus, marks, rows, barred))

    def plain_text(self, text: str, rows: int) -> None:
        """Show text that has not been tokenized yet."""

        def draw() -> None:
            lines = wrap([safe(text)], max(4, self.size.width - 1))[-rows:]
            self.show([Content("".join(run.text for run in line.runs)) for line in lines])

        self.draw_with(draw)

    def _lay_out(
        self, steps: Sequence[Step], focus: int, marks: bool, rows: int, barred: bool
    ) -> None:
        start, end = window(len(steps), focus)
        steps, focus = steps[start:end], focus - start
        lines = wrap(token_texts(steps, marks=marks), max(4, self.size.width - 1))
        at = focused_line(lines, focus)
        first = centered(at, len(lines), rows)
        self._laid_out, self._barred = (lines[first : first + rows], start), barred
        shown: list[Content] = []
        for number in range(first, min(first + rows, len(lines))):
            last = number == len(lines) - 1 and focus >= len(steps)
            looked_at = focus if number == at and focus < len(steps) else None
            shown.append(self._text_line(lines[number], steps, looked_at, last, barred))
            if barred:
                shown.append(self._bar_line(lines[number], steps))
        self.show(shown)

    def _text_line(
        self, line: Line, steps: Sequence[Step], focus: int | None, last: bool, barred: bool
    ) -> Content:
        parts: list[tuple[str, str]] = []
        landed = None  # if the token in focus takes up no cells, the next one is highlighted
        if focus is not None:
            landed = next((run.index for run in line.runs if run.index >= focus), None)
        for run in line.runs:
            step = steps[run.index]
            style = theme.MUTED if step.token.special else ""
            if not barred and step.known_bits is not None:
                style = theme.likely(2.0**-step.known_bits)
            if run.index == landed:
                style = "reverse"
            elif step.how == "taken":
                style += " underline"
            parts.append((run.text, style.strip()))
        if last:
            parts.append((CURSOR, theme.ACT))
        return Content.assemble(*parts)

    def _bar_line(self, line: Line, steps: Sequence[Step]) -> Content:
        parts: list[tuple[str, str]] = []
        for run in line.runs:
            bits = steps[run.index].known_bits
            blank = run.text[: len(run.text) - len(run.text.lstrip(" "))]
            if len(blank) == run.width:
                blank = ""  # a token of only spaces has its bar below them
            size = run.width - len(blank)
            if bits is None:
                parts.append((" " * run.width, ""))
                continue
            style = theme.likely(2.0**-bits)
            parts.append((blank + bars.level(bits) * size, style))
        return Content.assemble(*parts)
