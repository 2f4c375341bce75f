"""The x-ray over the whole terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.base_screen import TutorScreen
from tutor.app.explorer.xray.view import XRayView
from tutor.app.widgets import figures
from tutor.app.widgets.lines import BREAKPOINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tutor.app.explorer.xray.view import Ask
    from tutor.lm.distribution import Token


class XRayScreen(TutorScreen):
    """`path` is the text, `position` the token looked into (counted from 0)."""

    VERTICAL_BREAKPOINTS = BREAKPOINTS

    def __init__(self, path: Sequence[Token], position: int, ask: Ask) -> None:
        super().__init__()
        self._path = tuple(path)
        self._position = position
        self._ask = ask

    def compose_content(self) -> ComposeResult:
        yield XRayView(self._ask)

    def on_mount(self) -> None:
        self.query_one(XRayView).focus()
        self._look(self._position)

    def _look(self, position: int) -> None:
        name = figures.shown(self._path[position])
        self.place = f"x-ray  {name}  token {position + 1} of {len(self._path)}"
        self.query_one(XRayView).look(self._path, position)

    def on_xray_view_wanted(self, event: XRayView.Wanted) -> None:
        self._look(event.position)

    def on_xray_view_failed(self, event: XRayView.Failed) -> None:
        self.tell(event.error)
