"""The part of the pane that saves a text as a file for other people."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from tutor.app.explorer import events
from tutor.app.explorer.chat.pane import ChatPane
from tutor.errors import NotInThisLogin
from tutor.language import _
from tutor.lm.token_tree import text_of
from tutor.sharing.writing import suggested

if TYPE_CHECKING:
    from tutor.app.terminal.remote_terminal import RemoteTerminal
    from tutor.sharing.writing import Form


class SharingPane(ChatPane):
    """The base class of the pane, with the action that saves a text as a file."""

    def action_share(self) -> None:
        """Let the learner choose the format and the name of the file."""
        from tutor.app.explorer.share.screen import ShareScreen

        tree = self.state.tree
        if not cast("RemoteTerminal", self.app).saves_files:
            refused = NotInThisLogin(
                "Texts cannot be saved as files here.", "Press ctrl+o to copy the text."
            )
            self._send(events.Say(refused))
        elif tree is None:
            self._send(events.Say(_("There is no text to save yet.")))
        else:
            self._send(events.Signal.INSPECT)
            self._send(events.Say(None))  # an old message must not be in the picture
            chat = self.state.mode == "chat"
            text = self.state.document.title if chat else text_of(tree.steps)
            self.app.push_screen(ShareScreen(suggested(text), self._save_as))

    def _save_as(self, name: str, form: Form | None) -> None:
        if form is None:
            # The picture shows this screen, which is drawn after the menu has closed.
            self.call_after_refresh(partial(self._save_picture, name))
        else:
            explained = self._beside.explained if self._beside is not None else None
            self._send(events.Share(name, form, explained=explained))

    def _save_picture(self, name: str) -> None:
        picture = self.app.export_screenshot(title="tutor")
        self._send(events.Share(name, None, picture))
