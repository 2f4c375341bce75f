"""The part of the pane that saves a text as a file for other people."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from tutor.app.explorer import events
from tutor.app.explorer.chat.pane import ChatPane
from tutor.app.explorer.share.request import Share
from tutor.app.explorer.xray.view import XRayView
from tutor.errors import NotInThisLogin, TutorError
from tutor.language import _
from tutor.lm.token_tree import text_of
from tutor.sharing.writing import suggested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.state import State
    from tutor.app.explorer.xray.screen import XRayScreen
    from tutor.app.terminal.remote_terminal import RemoteTerminal
    from tutor.lm.distribution import Token
    from tutor.sharing.writing import Form


class SharingPane(ChatPane):
    """The base class of the pane, with the action that saves a text as a file."""

    _above: XRayScreen | None = None
    """The x-ray screen that was opened last above this pane."""
    _noted: TutorError | str | None = None
    """The message that was drawn last."""

    def _open_above(self, path: Sequence[Token], position: int) -> None:
        from tutor.app.explorer.xray.screen import XRayScreen

        self._above = XRayScreen(path, position, self._controller.link, self.action_share)
        self.app.push_screen(self._above)

    @property
    def _xray(self) -> XRayView | None:
        """The open x-ray: beside the text, or on the screen above this pane."""
        if self._above is not None and self._above in self.app.screen_stack:
            return self._above.query_one(XRayView)
        return self._beside

    def _draw_notice(self, state: State) -> None:
        """Draw the message, also on the x-ray's screen if that screen covers this pane."""
        super()._draw_notice(state)
        if self._above is not None and state.note != self._noted:
            self._above.tell(state.note)
        self._noted = state.note

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

    def _save_as(self, name: str, form: Form) -> None:
        if form == "svg":
            # The picture must show the screen below the menu, so take it after that screen is
            # drawn.
            self.app.screen.call_after_refresh(partial(self._save_picture, name))
        else:
            explained = self._xray.explained if self._xray is not None else None
            self._send(Share(name, form, explained=explained))

    def _save_picture(self, name: str) -> None:
        picture = self.app.export_screenshot(title="tutor")
        self._send(Share(name, "svg", picture))
