"""The text field in which the learner writes a message or a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tutor.app.explorer.chat.keys import PAGES
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.labs.kit.keys import pair

if TYPE_CHECKING:
    from textual.events import Key


class MessageEditor(PromptEditor):
    """A field for several lines of text, which also forwards some keys to the chat.

    Page Up and Page Down post `Paged`. While an empty chat suggests first messages and the field is
    empty, the arrow keys post `Arrow` and the digits post `Picked`. Otherwise, the arrow keys go
    through earlier texts and post `Recalled`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", tooltip="Send this text. After a \\, it adds a line."),
        Binding("enter", "accept", "accept", tooltip="Start from this prompt."),
        Binding("escape", "leave", "leave field", tooltip="Close this field. It keeps your text."),
        *pair(PAGES, "page(*)", "scroll", "Scroll the conversation by a page."),
    ]
    chat = False
    """Whether the learner writes a message (True) or a prompt (False)."""
    suggests = 0
    """The number of suggested first messages, or 0 if the chat is not empty."""

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
    class Recalled(Message):
        """Posted when the editor switches to an earlier text, or back to the new one."""

        text: str

    def recall(self, by: int) -> bool:
        if self.suggests and not self.text.strip():
            self.post_message(self.Arrow(by))
            return True
        recalled = super().recall(by)
        if recalled:
            self.post_message(self.Recalled(self.text))
        return recalled

    async def _on_key(self, event: Key) -> None:
        numbers = map(str, range(1, self.suggests + 1))
        if not self.text and event.key in numbers:
            event.stop()
            event.prevent_default()
            self.post_message(self.Picked(event.key))
            return
        await super()._on_key(event)

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

    def action_page(self, by: int) -> None:
        self.post_message(self.Paged(by))
