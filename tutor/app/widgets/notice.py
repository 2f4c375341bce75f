"""The notice, in which the app reports success and failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.app.theme import NOT_YET
from tutor.app.widgets.clicks import press_named
from tutor.app.widgets.key_names import with_keys
from tutor.errors import TutorError
from tutor.text import safe

if TYPE_CHECKING:
    from textual.events import Click

Said = TutorError | str | None


class Notice(Widget):
    """A message of one or more lines above the key line. Without a message, it is hidden."""

    said: reactive[Said | tuple[Said, ...]] = reactive(None, layout=True)

    def watch_said(self) -> None:
        self.display = bool(self._messages)

    @property
    def _messages(self) -> list[TutorError | str]:
        said = self.said if isinstance(self.said, tuple) else (self.said,)
        return [message for message in said if message is not None]

    def on_click(self, event: Click) -> None:
        press_named(self, event)

    def render(self) -> Content:
        return Content("\n").join(_drawn(message) for message in self._messages)


def _drawn(message: TutorError | str) -> Content:
    if isinstance(message, str):
        return with_keys(safe(message))
    return Content.assemble(
        (f"! {message.title}. ", f"bold {NOT_YET}"),
        safe(message.happened),
        " ",
        with_keys(safe(message.next_step)),
    )
