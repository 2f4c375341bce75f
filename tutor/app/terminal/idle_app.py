"""The base class that lets the app ask whether the learner is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key, MouseDown, Paste

from tutor.app.terminal.idle import IdleScreen
from tutor.app.terminal.late_clicks import ClickingApp

if TYPE_CHECKING:
    from textual.events import Event

    from tutor.app.terminal.idle import IdleLimit


class IdleApp(ClickingApp):
    """An app that asks whether the learner is still there, shortly before the idle limit ends it.

    `idle` measures the time since the last key press. It is None if there is no limit.
    """

    idle: IdleLimit | None = None

    def ask_whether_there(self) -> None:
        """Ask, unless the learner has pressed a key in the meantime."""
        if self.idle is not None and self.idle.close and not isinstance(self.screen, IdleScreen):
            self.push_screen(IdleScreen(self.idle))

    def says_there(self, event: Event) -> bool:
        """Reset the idle timer if `event` is a key press, a mouse press or a paste.

        Return True if the event only says that the learner is there, and has no other effect.
        """
        if not isinstance(event, Key | MouseDown | Paste) or event.is_forwarded:
            return False
        return self._is_there()

    def _is_there(self) -> bool:
        """Reset the idle timer. Return True if this closes the screen that asks."""
        if self.idle is None:
            return False
        self.idle.pressed()
        asked = isinstance(self.screen, IdleScreen)
        if asked:
            self.pop_screen()
        return asked

    async def edited_outside(self, text: str, longest: int) -> str:
        try:
            return await super().edited_outside(text, longest)
        finally:
            self._is_there()
