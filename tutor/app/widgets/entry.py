"""A field for one line of text. It loads less code than Textual's `TextArea`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from tutor.app.typing_ahead import edited_at_once
from tutor.text import one_line

if TYPE_CHECKING:
    from textual.events import Key, Paste

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


class ClearableField(Input):
    """A field for one line of text. While it contains text, the key line says how to delete it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+u",
            "clear_text",
            "clear",
            tooltip="Delete the text in this field.",
        ),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "clear_text":
            return bool(self.value)
        return super().check_action(action, parameters)

    async def _on_key(self, event: Key) -> None:
        await edited_at_once(self, event)

    def action_clear_text(self) -> None:
        self.clear()

    def watch_value(self, before: str, now: str) -> None:
        if self.is_mounted and bool(before) != bool(now):
            self.refresh_bindings()


class Entry(ClearableField):
    """A field for one line of text, with a limit on its length.

    Subclasses bind Enter to `submit` and the arrow keys to `arrow(-1)` and `arrow(1)`, with labels
    for the key line. While the field is empty, the screen handles the characters in `NOT_FIRST` as
    keys, so that `?` opens help.
    """

    NOT_FIRST: ClassVar[str] = "?"

    @dataclass
    class Arrow(Message):
        """Posted when the up (-1) or down (1) key is pressed."""

        by: int

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, restrict=_PRINTABLE, max_length=_LONGEST_LINE)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        if character and character in self.NOT_FIRST and not self.value:
            return False
        return super().check_consume_key(key, character)

    async def _on_key(self, event: Key) -> None:
        if event.is_printable and not self.check_consume_key(event.key, event.character):
            event.prevent_default()  # the screen handles the key, so the field must not insert it

    def _on_paste(self, event: Paste) -> None:
        """Paste the first line that is not empty, without whitespace around it.

        Control characters are replaced with symbols, and text that does not fit is cut off. Textual
        would refuse the whole line.
        """
        paste_line(self, event)

    def action_arrow(self, by: int) -> None:
        self.post_message(self.Arrow(by))
