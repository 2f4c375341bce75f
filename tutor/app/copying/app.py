"""The base class that adds copying to the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key

from tutor.app.base_screen import TutorScreen
from tutor.app.copying import clipboard
from tutor.app.terminal.idle_app import IdleApp
from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.notice import Notice
from tutor.language import _

if TYPE_CHECKING:
    from textual.events import Event


class CopyingApp(IdleApp):
    """An app in which Ctrl+O copies what the screen offers, and Ctrl+C copies the selection."""

    _brief = ""
    """The text of a notice that disappears at the next key press."""
    _warned = False
    """Whether the last key was Ctrl+C, pressed in a field with unsubmitted text."""

    def action_copy(self) -> None:
        """Copy what the screen offers.

        If the screen offers several items, let the learner choose one.
        """
        from tutor.app.copying.copies import copies_of  # this loads the Markdown widgets
        from tutor.app.copying.screen import CopyScreen

        if isinstance(self.screen, CopyScreen):
            return
        found = copies_of(self.screen)
        if len(found) > 1:
            self.push_screen(CopyScreen(found, self.copy))
        elif found:
            self.copy(found[0])
        else:
            self.tell_briefly(_("There is nothing to copy here."))

    def copy(self, what: Copy) -> None:
        """Copy a text to the clipboard, and show a notice about it."""
        text = clipboard.clean(what.text)
        problem = clipboard.too_long(what.what, text)
        if not problem:
            self.copy_to_clipboard(text)
        self.tell_briefly(problem or clipboard.copied(what.what, text))

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text to the clipboard.

        Textual also calls this, for example for Ctrl+X in an editor.
        """
        text = clipboard.clean(text)
        if clipboard.too_long("", text):
            # This text is too long for the terminal, so only Ctrl+V in this app can paste it.
            self._clipboard = text
        else:
            super().copy_to_clipboard(text)

    async def action_interrupt(self) -> None:
        """Copy the selected text.

        If nothing is selected, quit, but warn first if text would be lost.
        """
        # Slow to import, and not needed at the start
        from textual.widgets import TextArea

        from tutor.app.widgets.prompt_editor import PromptEditor

        focused = self.focused
        in_editor = focused if isinstance(focused, TextArea) else None
        selected = in_editor.selected_text if in_editor else self.screen.get_selected_text()
        if selected:
            self.copy(Copy(_("the selection"), selected))
        elif (
            in_editor
            and not self._warned
            and (in_editor.changed if isinstance(in_editor, PromptEditor) else in_editor.text)
        ):
            self.tell_briefly(
                _("You have not submitted this text. Press Ctrl+C again to quit anyway.")
            )
            self._warned = True
        else:
            await self.action_quit()

    def tell_briefly(self, message: str) -> None:
        """Show a notice until the next key press."""
        self._brief = message
        if isinstance(self.screen, TutorScreen):
            self.screen.tell(message)

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not event.is_forwarded:
            self._forget_brief_notice()
            self._warned = self._warned and event.key == "ctrl+c"
        await super().on_event(event)

    def _forget_brief_notice(self) -> None:
        if self._brief and self.screen_stack:
            for notice in self.screen.walk_children(Notice):
                if notice.said == (self._brief,):
                    notice.said = None
        self._brief = ""
