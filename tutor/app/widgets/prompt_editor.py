"""The field in which learners write a prompt, or the next message of a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tutor.text import writable

if TYPE_CHECKING:
    from textual.events import Key, Paste

LONGEST = 32_000
"""The maximum number of characters in a prompt, which is more than fit in a context window.

Every key press lays out all of them.
"""


class PromptEditor(TextArea):
    """A field for text of several lines.

    Enter accepts the text, and Esc cancels. A backslash before Enter starts a new line.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "accept", "accept", tooltip="Accept this text. After a \\, start a new line."
        ),
        Binding("escape", "leave", "cancel", tooltip="Close this field. It keeps your text."),
    ]
    DEFAULT_CSS = """
    PromptEditor {
        height: auto; max-height: 6; border: none; padding: 0; background: $panel;
        &:focus { border: none; }
    }
    """

    @dataclass
    class Accepted(Message):
        text: str

    class Left(Message):
        pass

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            id=id,
            classes=classes,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
        )

    def load(self, text: str) -> None:
        """Load this text, with the cursor at its end."""
        self.load_text(writable(text))
        self.move_cursor(self.document.end)

    async def _on_key(self, event: Key) -> None:
        full = event.is_printable and len(self.text) >= LONGEST and not self.selected_text
        act = {"enter": self.action_accept, "escape": self.action_leave}.get(event.key)
        if full or act is not None:
            event.stop()
            event.prevent_default()
            if act is not None:
                act()
            return
        await super()._on_key(event)

    async def _on_paste(self, event: Paste) -> None:
        """Paste text, with visible symbols for control characters, cut to the maximum length."""
        event.stop()
        event.prevent_default()
        text = writable(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        start, end = self.selection
        room = max(0, LONGEST - len(self.text) + len(self.selected_text))
        self.replace(text[:room], start, end, maintain_selection_offset=False)

    def action_accept(self) -> None:
        row, column = self.cursor_location
        if self.document.get_line(row)[:column].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
            return
        self.post_message(self.Accepted(self.text))

    def action_leave(self) -> None:
        self.post_message(self.Left())
