"""The field in which learners write a message or a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tutor.app.widgets.prompt_editor import PromptEditor


class MessageEditor(PromptEditor):
    """A field for text of several lines. It passes the keys that it does not use on to the chat.

    The page keys post `Paged`. In an empty field of an empty chat, which `suggests` first messages,
    the arrow keys post `Arrow`. Otherwise they post `Recalled` when they go to another text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]
    suggests = False

    @dataclass
    class Arrow(Message):
        """Posted to select an earlier (-1) or later (1) suggestion."""

        by: int

    @dataclass
    class Paged(Message):
        """Posted when a page key is pressed, up (-1) or down (1)."""

        by: int

    @dataclass
    class Recalled(Message):
        """Posted when the editor shows another text that was entered earlier, or the new one."""

        text: str

    def recall(self, by: int) -> bool:
        if self.suggests and not self.text.strip():
            self.post_message(self.Arrow(by))
            return True
        recalled = super().recall(by)
        if recalled:
            self.post_message(self.Recalled(self.text))
        return recalled

    def action_page(self, by: int) -> None:
        self.post_message(self.Paged(by))
