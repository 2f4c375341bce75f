"""A field for one line of text, which loads less code than a `TextArea`."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.widgets import Input

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f]*"
"""A pattern for text without control characters, which could affect the terminal when pasted."""
_LONGEST_LINE = 200
"""The maximum number of characters in a line.

Every key press measures the whole line and looks it up.
"""


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

    def action_arrow(self, by: int) -> None:
        self.post_message(self.Arrow(by))
