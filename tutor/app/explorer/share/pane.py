"""The part of the explorer pane that saves a text as a file for other people."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, cast

from tutor.app.base_screen import TutorScreen
from tutor.app.explorer import events
from tutor.app.explorer.chat.pane import ChatPane
from tutor.app.explorer.controller import SAVING_STOPPED
from tutor.app.explorer.pane_layout import xray_room
from tutor.app.explorer.share.request import Share
from tutor.app.explorer.xray.view import XRayView
from tutor.errors import NotInThisLogin, TutorError
from tutor.language import _
from tutor.lm.token_tree import text_of
from tutor.sharing.document import SharedXRay
from tutor.sharing.writing import suggested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.share.opening import Restored
    from tutor.app.explorer.state import State
    from tutor.app.explorer.xray.screen import XRayScreen
    from tutor.app.terminal.remote_terminal import RemoteTerminal
    from tutor.lm.distribution import Token
    from tutor.sharing.writing import Form


class SharingPane(ChatPane):
    """The base class of the explorer pane, with the action that saves a text as a file."""

    _above: XRayScreen | None = None
    """The x-ray screen that was most recently opened above this pane."""
    _noted: TutorError | str | None = None
    """The message that was drawn last."""
    _to_reopen: Restored | None = None
    """The saved text whose x-ray is opened as soon as the model has answered."""

    def _open_above(
        self, path: Sequence[Token], position: int, shared: SharedXRay | None = None
    ) -> None:
        from tutor.app.explorer.xray.screen import XRayScreen

        self._above = XRayScreen(path, position, self._controller.link, self.action_share, shared)
        self.app.push_screen(self._above)

    @abstractmethod
    async def _open_beside(self) -> XRayView:
        """Open the x-ray beside the text, unless it is open, and return it."""

    async def _reopen(self, text: Restored) -> None:
        """Open the x-ray that was open when a text was saved, unless another screen is open.

        If another model is loaded, the saved positions and heads do not apply to it. The same view
        then opens at the end of the text.
        """
        shared, tree, path = text.xray, self.state.tree, self.state.path
        if shared is None or tree is None or not path or not self.screen.is_current:
            return
        if text.document.model != self.state.document.model:
            shared = SharedXRay(position=len(path), view=shared.view)
        position = min(shared.position, len(path)) - 1
        if xray_room(*self.size) is None:
            self._open_above(path, position, shared)
            return
        view = await self._open_beside()
        if position != tree.last_looked_at:
            self._send(events.MoveFocus(position - tree.focus))
        view.look(path, position)
        view.restore(shared)

    @property
    def _xray(self) -> XRayView | None:
        """The open x-ray: beside the text, or on the screen above this pane."""
        if self._above is not None and self._above in self.app.screen_stack:
            return self._above.query_one(XRayView)
        return self._beside

    def _draw_notice(self, state: State) -> None:
        """Draw the message here and, if the x-ray's screen covers this pane, on that screen."""
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

    def action_stop_saving(self) -> None:
        self._controller.stop_saving()

    def say_if_saving(self) -> None:
        """If a file is being saved, say on the next screen that there is none."""
        if self._controller.saving and not self._controller.left:
            self.app.call_later(self._say_below)

    def _say_below(self) -> None:
        if isinstance(screen := self.app.screen, TutorScreen):
            screen.tell(SAVING_STOPPED)

    def _save_as(self, name: str, form: Form) -> None:
        if form == "svg":
            # The picture must show the screen below the menu, so take it after that screen is
            # drawn.
            self.app.screen.call_after_refresh(partial(self._save_picture, name))
        else:
            shared = self._xray.shared if self._xray is not None else None
            xray, attribution = shared or (None, None)
            self._send(Share(name, form, xray=xray, attribution=attribution))

    def _save_picture(self, name: str) -> None:
        picture = self.app.export_screenshot(title="tutor")
        self._send(Share(name, "svg", picture))
