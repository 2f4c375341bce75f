"""The view of one head's attention: how much the selected token attends to each token before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.explorer.xray.inside import AskXRay
from tutor.app.explorer.xray.lines import attention_lines
from tutor.app.explorer.xray.tab import NARROW, HeadTab, Selection
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.layout import with_first_that_fits
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.xray.inside import ChosenHead, Findings, Request
    from tutor.labs.kit.columns import Room


class AttentionTab(HeadTab):
    """The attention weights of one head."""

    id = "attention"
    name = _("attention")
    actions: ClassVar = frozenset({"layer", "head", "order", "scroll_rows"})

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)
        self._by_weight = False

    @property
    def selection(self) -> Selection:
        return Selection(toggled=self._by_weight)

    def select(self, selection: Selection) -> None:
        self._by_weight = selection.toggled

    def missing(self, found: Findings) -> Request | None:
        xray, layer = found.xray, self.chosen.layer
        if xray is None or not self.ready(found):
            return super().missing(found)
        # With a long text or a large model, not all layers are in one response.
        return None if min(layer, xray.layers - 1) in xray.held else AskXRay(layer)

    def heading(self, found: Findings, width: int) -> Content:
        assert found.xray is not None
        of = _(" of ") if width >= NARROW else "/"
        name = figures.shown(found.token)
        place = Content.assemble(
            (_("layer "), MUTED),
            (f"{self.chosen.layer + 1:>2}", "bold"),
            (f"{of}{found.xray.layers}", MUTED),
            (_("  head "), MUTED),
            (f"{self.chosen.head + 1:>2}", "bold"),
            (f"{of}{found.xray.heads}", MUTED),
        )
        ends = [
            _("  how much {name} attends to").format(name=name),
            _("  of {name}").format(name=name),
        ]
        return with_first_that_fits(place, ends, width)

    def lines(self, found: Findings, room: Room) -> list[Content]:
        xray = found.xray
        assert xray is not None
        if self.chosen.layer not in xray.held:
            return [Content.styled(_(" computing the x-ray…"), MUTED)]
        weights = xray.weights(self.chosen.layer, self.chosen.head)
        order: Sequence[int] = range(len(weights))
        if self._by_weight:
            order = sorted(order, key=lambda index: -weights[index])
        start = 0 if self._by_weight else len(order) - room.height
        shown = self.scroll.range(len(order), room.height, start)
        return attention_lines(found.path, weights, [order[index] for index in shown], room.width)

    def move(self, found: Findings, what: str, by: int) -> None:
        xray, chosen = found.xray, self.chosen
        assert xray is not None
        match what:
            case "layer":
                chosen.choose(chosen.layer + by, chosen.head, xray.layers, xray.heads)
            case "head":
                chosen.choose(chosen.layer, chosen.head + by, xray.layers, xray.heads)
            case "scroll_rows":
                self.scroll.by(by)
            case "order":
                self._by_weight = not self._by_weight
                self.scroll.reset()
