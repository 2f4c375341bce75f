"""Handle clicks on a part of a text.

A click on a part of a line, such as a cell of a map, can move the focus. The moves are stored in
the metadata of the part's style. They are removed before the lines are drawn, because parts with
the same colors but different moves would be drawn one by one.

A click on the name of a key, as in “Press r to retry”, presses the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content, Span
from textual.events import Key
from textual.style import Style

from tutor.app.widgets.key_names import named_key
from tutor.app.widgets.static import Static

if TYPE_CHECKING:
    from textual.events import Click
    from textual.screen import Screen
    from textual.widget import Widget

TABS = "tabs"
"""The axis of a tab bar. Each step along it is a press of Tab or Shift+Tab."""
_MOVES = "moves"
Moves = tuple[tuple[str, int], ...]
"""The axes along which a click moves the focus, each with a number of steps."""


def focusing(part: tuple[str, str] | Content, /, **moves: int) -> Content:
    """Return a part of a line that moves the focus when it is clicked.

    `moves` contains the number of steps along each axis, as in a lab's `MoveFocus`.
    """
    content = part if isinstance(part, Content) else Content.styled(*part)
    wanted: Moves = tuple((axis, by) for axis, by in moves.items() if by)
    return content.stylize(_style(wanted))


@lru_cache(maxsize=4096)  # a map has the same moves in each frame, and encoding them is slow
def _style(moves: Moves) -> Style:
    return Style.from_meta({_MOVES: moves})


def moves_at(lines: Sequence[Content], x: int, y: int) -> Moves:
    """Return the moves of the cell in column `x` of line `y`, or ()."""
    if not 0 <= y < len(lines):
        return ()
    line = lines[y]
    at = _index(line.plain, x)
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


def _index(line: str, x: int) -> int | None:
    """Return the index of the character in column `x` of a line, or None."""
    return next((n for n in range(len(line)) if cell_len(line[: n + 1]) > x), None)


class ClickedKey(Key):
    """A press of a key by a click on its name.

    It has no character, so that it is never typed into a text field. It has an effect only on
    `screen`, where its name was clicked.
    """

    __slots__ = ["screen"]

    def __init__(self, key: str, screen: Screen[object]) -> None:
        super().__init__(key, None)
        self.character = None
        self.screen = screen


ClickedKey.handler_name = Key.handler_name  # widgets handle it like any other key


def press_key(widget: Widget, key: str) -> bool:
    """Press a key on behalf of a click. Return False if the key is not available.

    In a text field, a letter that is pressed this way is never typed.
    """
    active = widget.screen.active_bindings.get(key)
    if active is None or not active.enabled:
        return False
    widget.app.post_message(ClickedKey(key, widget.screen))
    return True


def press_named(widget: Widget, event: Click) -> bool:
    """Press the key whose name was clicked in `widget`. Return False if no key was pressed."""
    at = event.get_content_offset(widget)
    if at is None:
        return False
    line = widget.render_line(at.y).text
    index = _index(line, at.x)
    key = "" if index is None else named_key(line, index)
    return bool(key) and press_key(widget, key)


class KeyText(Static):
    """A text that names keys of its screen. A click on the name of a key presses the key."""

    def on_click(self, event: Click) -> None:
        press_named(self, event)
