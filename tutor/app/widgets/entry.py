"""A line to type in, with arrows for something beside it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.widgets import Input

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f]*"
"""Nothing that could act on the terminal when it is pasted."""
LONGEST = 200
"""Characters: each key measures and looks up the whole line."""


class Entry(Input):
    """Subclasses name what Enter and the arrows do in their `BINDINGS`, so that the key line says
    it: `submit`, `arrow(-1)`, `arrow(1)`."""

    @dataclass
    class Arrow(Message):
        """Up (-1) or down (1) was pressed."""

        by: int

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, restrict=_PRINTABLE, max_length=LONGEST)

    def action_arrow(self, by: int) -> None:
        self.post_message(self.Arrow(by))
