"""A screen that shows only the x-ray, for terminals that have no room for it beside the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tutor.app.base_screen import TutorScreen
from tutor.app.explorer.keys import SHARE
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets import figures
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tutor.app.explorer.xray.inside import Inside
    from tutor.lm.distribution import Token
    from tutor.sharing.document import SharedXRay


class XRayScreen(TutorScreen):
    """A screen that shows only the x-ray.

    `path` is the text, and `position` is the position of the token to show first. `share` lets the
    learner save the text as a file. `shared` is the description of the x-ray in a saved text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [SHARE]
    explained = (figures.SIGNS,)

    def __init__(
        self,
        path: Sequence[Token],
        position: int,
        inside: Inside,
        share: Callable[[], None],
        shared: SharedXRay | None = None,
    ) -> None:
        super().__init__()
        self._shared = shared
        self._share = share
        self._path = tuple(path)
        self._position = position
        self._inside = inside

    def compose_content(self) -> ComposeResult:
        yield XRayView(self._inside)

    def on_mount(self) -> None:
        self.query_one(XRayView).focus()
        self._look(self._position)
        if self._shared is not None:
            self.query_one(XRayView).restore(self._shared)

    def _look(self, position: int) -> None:
        name = figures.shown(self._path[position])
        self.place = _("x-ray  {name}  token {position} of {count}").format(
            name=name, position=position + 1, count=len(self._path)
        )
        if (steering := self._inside.network.steering) is not None:
            self.place += "  " + _("steered: {said}").format(said=safe(steering.said))
        self.query_one(XRayView).look(self._path, position)

    def action_share(self) -> None:
        self._share()

    def on_xray_view_wanted(self, event: XRayView.Wanted) -> None:
        self._look(event.position)

    def on_xray_view_failed(self, event: XRayView.Failed) -> None:
        self.tell(event.error)
