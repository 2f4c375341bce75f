"""The text field in which the learner writes a message or a prompt."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tutor.app.base_screen import ALL_PAGES
from tutor.app.explorer.chat.keys import COMMANDS, PAGES
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.labs.kit.keys import pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Key

    from tutor.app.explorer.chat.unsent import Written


LATE = 0.5
"""The number of seconds after the end of an answer during which command keys insert no text."""


class MessageEditor(PromptEditor):
    """A multi-line text field that also forwards some keys to the chat.

    Page Up and Page Down post `Paged`. While an empty chat suggests first messages and the field is
    empty, the arrow keys post `Arrow` and the digits post `Picked`. Otherwise, the arrow keys bring
    back earlier texts and post `Recalled`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", tooltip="Send this text. After a \\, Enter adds a line."),
        Binding("enter", "accept", "accept", tooltip="Start from this prompt."),
        Binding("escape", "leave", "leave field", tooltip="Close this field. Your text is kept."),
        *pair(PAGES, "page(*)", "scroll", "Scroll the conversation by a page."),
    ]
    chat = False
    """Whether the learner is writing a message (True) or a prompt (False)."""
    suggests = 0
    """The number of suggested first messages, or 0 if the chat is not empty."""
    opened_at: float | None = None
    """The time at which the end of an answer opened the field, or None if the learner opened it.

    The time is on the same clock as the `time` of a key event.
    """

    @dataclass
    class Arrow(Message):
        """Posted to select the previous (-1) or next (1) suggestion."""

        by: int

    @dataclass
    class Picked(Message):
        """Posted to send the suggestion with this number."""

        number: str

    @dataclass
    class Paged(Message):
        """Posted when Page Up (-1) or Page Down (1) is pressed."""

        by: int

    @dataclass
    class TooLate(Message):
        """Posted instead of inserting the character of a key pressed just as the answer ended.

        A moment earlier, the key would have been a command, such as the command that stops the
        answer.
        """

        key: str

    @dataclass
    class Recalled(Message):
        """Posted when the editor switches to an earlier text, or back to the new text ("")."""

        earlier: str

    def show(self, written: Written, earlier: Sequence[str]) -> None:
        """Show what the learner has written so far, beside the texts that they entered earlier."""
        self.load(written.new, earlier, changes=written.changes, at=written.place)

    def note_end(self, *, ended: bool) -> None:
        """Note whether the end of an answer opens the field."""
        self.opened_at = time.monotonic() if ended else None

    def recall(self, by: int) -> bool:
        if self.suggests and not self.text.strip():
            self.post_message(self.Arrow(by))
            return True
        recalled = super().recall(by)
        if recalled:
            self.post_message(self.Recalled(self.recalled))
        return recalled

    async def _on_key(self, event: Key) -> None:
        numbers = map(str, range(1, self.suggests + 1))
        if not self.text and event.key in numbers:
            event.stop()
            event.prevent_default()
            self.post_message(self.Picked(event.key))
            return
        if self._is_late(event):
            event.stop()
            event.prevent_default()
            self.post_message(self.TooLate(event.key))
            return
        await super()._on_key(event)

    def _is_late(self, event: Key) -> bool:
        """Return True if a key was probably a command meant for the answer that has just ended."""
        if self.opened_at is None or self.text or event.key not in COMMANDS:
            return False
        return event.time - self.opened_at < LATE

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "send":
                return self.chat
            case "page":
                return self.chat and not self.suggests
            case "accept":
                return not self.chat
        return super().check_action(action, parameters)

    def action_send(self) -> None:
        self.action_accept()

    def submit(self) -> None:
        """Post the text. Clear a message, because the next keys come before the field closes."""
        if self.chat and not self.text and not self.suggests:
            return  # there is nothing to send
        super().submit()
        if self.chat:
            self.suggests = 0
            self.clear_submitted()

    def action_page(self, by: int) -> None:
        self.post_message(self.Paged(by))

    def action_cursor_line_start(self, select: bool = False) -> None:
        """Move the cursor. In an empty field, go to the beginning of the conversation instead."""
        if not self._pages_to_end(-1):
            super().action_cursor_line_start(select)

    def action_cursor_line_end(self, select: bool = False) -> None:
        """Move the cursor. In an empty field, go to the end of the conversation instead."""
        if not self._pages_to_end(1):
            super().action_cursor_line_end(select)

    def _pages_to_end(self, direction: int) -> bool:
        """Scroll a conversation to one of its ends, and return True if this field is empty."""
        empty = not self.text and self.check_action("page", ()) is True
        if empty:
            self.action_page(direction * ALL_PAGES)
        return empty
