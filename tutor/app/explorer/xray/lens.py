"""The view of the logit lens: what each layer would predict after the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.explorer.xray.inside import AskXRay
from tutor.app.explorer.xray.lines import lens_heading, lens_lines, spaced
from tutor.app.explorer.xray.tab import Selection, Tab
from tutor.app.widgets import figures
from tutor.app.widgets.layout import with_first_that_fits
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.explorer.xray.inside import ChosenHead, Findings, Request
    from tutor.labs.kit.columns import Room


class LensTab(Tab):
    """The prediction of each layer for one token."""

    id = "lens"
    name = _("lens")
    actions: ClassVar = frozenset({"every", "scroll_rows"})

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)
        self._every = False

    @property
    def selection(self) -> Selection:
        return Selection(toggled=self._every)

    def select(self, selection: Selection) -> None:
        self._every = selection.toggled

    def ready(self, found: Findings) -> bool:
        return found.xray is not None

    def missing(self, found: Findings) -> Request | None:
        return AskXRay(self.chosen.layer) if found.xray is None else None

    def heading(self, found: Findings, width: int) -> Content:
        name = figures.shown(found.token)
        ends = [
            _("what each layer would predict after {name}").format(name=name),
            _("after {name}, layer by layer").format(name=name),
        ]
        return with_first_that_fits(Content(""), ends, width)

    def lines(self, found: Findings, room: Room) -> list[Content]:
        assert found.xray is not None
        rows = found.xray.lens
        if not self._every:
            rows = tuple(rows[index] for index in spaced(len(rows), room.height - 1))
        shown = self.scroll.range(len(rows), room.height - 1, 0)
        lines = lens_lines(rows[shown.start : shown.stop], room.width)
        return [lens_heading(found.xray.target, room.width), *lines]

    def move(self, found: Findings, what: str, by: int) -> None:
        if what == "every":
            self._every = not self._every
            self.scroll.reset()
        else:
            self.scroll.by(by)
