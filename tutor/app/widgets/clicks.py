"""Parts of lines that move the focus when they are clicked, such as the cells of a map.

The moves are in the metadata of a style. They are removed before the lines are drawn, because parts
with the same colors but different moves would be drawn one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content, Span
from textual.style import Style

_MOVES = "moves"
Moves = tuple[tuple[str, int], ...]
"""Axes, each with the number of steps along it."""


def focusing(part: tuple[str, str] | Content, /, **moves: int) -> Content:
    """Return a part of a line that moves the focus when it is clicked.

    `moves` has the number of steps along each axis, as in a lab's `MoveFocus`.
    """
    content = part if isinstance(part, Content) else Content.styled(*part)
    wanted: Moves = tuple((axis, by) for axis, by in moves.items() if by)
    return content.stylize(Style.from_meta({_MOVES: wanted}))


def moves_at(lines: Sequence[Content], x: int, y: int) -> Moves:
    """Return the moves of the cell in column `x` of line `y`, or none."""
    if not 0 <= y < len(lines):
        return ()
    line = lines[y]
    at = next((n for n in range(len(line)) if cell_len(line.plain[: n + 1]) > x), None)
    if at is None:
        return ()
    found = (_moves(span) for span in line.spans if span.start <= at < span.end)
    return next((moves for moves in found if moves), ())


def drawn(line: Content) -> Content:
    """Return a line without moves."""
    kept = [span for span in line.spans if _moves(span) is None]
    return line if len(kept) == len(line.spans) else Content(line.plain, kept)


def _moves(span: Span) -> Moves | None:
    meta = span.style.meta if isinstance(span.style, Style) else {}
    moves: Moves | None = meta.get(_MOVES)
    return moves
