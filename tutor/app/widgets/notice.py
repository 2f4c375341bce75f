"""The one place where the app says that something went wrong, or went well."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tutor.app.theme import MUTED, NOT_YET
from tutor.errors import TutorError
from tutor.text import safe


class Notice(Widget):
    """A few quiet lines above the key line; takes no room while there is nothing to say."""

    said: reactive[TutorError | str | None] = reactive(None, layout=True)

    def watch_said(self, said: TutorError | str | None) -> None:
        self.display = said is not None

    def render(self) -> Content:
        match self.said:
            case TutorError() as error:
                return Content.assemble(
                    (f"! {error.title}. ", f"bold {NOT_YET}"),
                    safe(error.happened),
                    " ",
                    (safe(error.next_step), MUTED),
                )
            case str() as text:
                return Content(safe(text))
        return Content("")
