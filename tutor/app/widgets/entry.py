"""A field for one line of text, which loads less code than a `TextArea`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import Input

from tutor.text import one_line

if TYPE_CHECKING:
    from textual.events import Paste

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f]*"
"""A pattern for text without control characters, which could affect the terminal when pasted."""
_LONGEST_LINE = 200
"""The maximum number of characters in a line.

Every key press measures the whole line and looks it up.
"""


def paste_line(field: Input, event: Paste) -> None:
    """Paste the first line with text into a field, as much of it as there is room for."""
    event.stop()
    event.prevent_default()
    line = next((line.strip() for line in event.text.splitlines() if line.strip()), "")
    room = (field.max_length or _LONGEST_LINE) - len(field.value) + len(field.selected_text)
    field.replace(one_line(line, len(line))[: max(0, room)], *field.selection)


class Entry(Input):
    """A field for one line of text.

    Subclasses bind Enter to `submit` and the arrow keys to `arrow(-1)` and `arrow(1)`, with labels
    for the key line.
    """

    @dataclass
    class Arrow(Message):
        """Posted when up (-1) or down (1) is pressed."""

        by: int

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, restrict=_PRINTABLE, max_length=_LONGEST_LINE)

    def _on_paste(self, event: Paste) -> None:
        """Paste the first line that is not empty, without white space around it.

        Control characters are replaced with symbols, and what is too long for the field is left
        out. Textual would refuse the whole line.
        """
        paste_line(self, event)

    def action_arrow(self, by: int) -> None:
        self.post_message(self.Arrow(by))
