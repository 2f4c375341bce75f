"""A field for one line of text. It loads less code than Textual's `TextArea`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import Input

from tutor.text import one_line

if TYPE_CHECKING:
    from textual.events import Paste

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f]*"
"""A pattern for text without control characters, which could harm a terminal if pasted there."""
_LONGEST_LINE = 200
"""The maximum number of characters in a line.

The limit exists because each key press measures the whole line and, in a search, searches for it.
"""


def paste_line(field: Input, event: Paste) -> None:
    """Insert the first line of pasted text that is not empty, up to the field's maximum length."""
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
        """Posted when the up (-1) or down (1) key is pressed."""

        by: int

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, restrict=_PRINTABLE, max_length=_LONGEST_LINE)

    def _on_paste(self, event: Paste) -> None:
        """Paste the first line that is not empty, without white space around it.

        Control characters are replaced with symbols, and text that does not fit is cut off. Textual
        would refuse the whole line.
        """
        paste_line(self, event)

    def action_arrow(self, by: int) -> None:
        self.post_message(self.Arrow(by))
