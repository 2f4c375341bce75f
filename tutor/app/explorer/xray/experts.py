"""The view of a mixture of experts: which experts processed the token in each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.explorer.xray.inside import AskXRay
from tutor.app.explorer.xray.tab import Tab
from tutor.app.theme import MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.layout import with_first_that_fits
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.app.explorer.xray.inside import ChosenHead, Findings, Request
    from tutor.labs.kit.columns import Cell, Room
    from tutor.lm.distribution import RoutedExpert

_LAYER = 8
"""The width, in cells, of the column with the layer's number."""
_LEAST_BAR = 6
"""The width, in columns, below which a bar is left out."""
_MOST_BAR = 20
_PERCENT = 6
"""The usual width of a percentage, in cells."""


class ExpertsTab(Tab):
    """The experts that the router of each layer chose for one token, and their weights."""

    id = "experts"
    name = _("experts")
    actions: ClassVar = frozenset({"scroll_rows"})

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)

    def exists(self, found: Findings | None) -> bool:
        return found is not None and found.xray is not None and bool(found.xray.routes)

    def ready(self, found: Findings) -> bool:
        return found.xray is not None

    def missing(self, found: Findings) -> Request | None:
        return AskXRay(self.chosen.layer) if found.xray is None else None

    def heading(self, found: Findings, width: int) -> Content:
        assert found.xray is not None
        name = figures.shown(found.token)
        used = sum(each.expert is not None for each in next(iter(found.xray.routes), ()))
        ends = [
            _("which experts processed {name}: {used} of {experts} in each layer"),
            _("{used} of {experts} experts for {name}"),
        ]
        facts = {"name": name, "used": used, "experts": found.xray.experts}
        return with_first_that_fits(Content(""), [end.format(**facts) for end in ends], width)

    def lines(self, found: Findings, room: Room) -> list[Content]:
        assert found.xray is not None
        routes = found.xray.routes
        if not routes:
            return [Content.styled(_(" This model has no experts."), MUTED)]
        shown = self.scroll.range(len(routes), room.height - 1, 0)
        heading = _(" layer  ") + _("experts and their weights")
        number = len(str(found.xray.experts))
        return [
            Content.styled(heading, MUTED),
            *(_row(layer + 1, routes[layer], number, room.width) for layer in shown),
        ]

    def move(self, found: Findings, what: str, by: int) -> None:
        self.scroll.by(by)


def _row(layer: int, routed: Sequence[RoutedExpert], number: int, width: int) -> Content:
    """Draw the experts of a layer. Those that don't fit are replaced by an ellipsis."""
    texts = [
        (
            _("shared") if each.expert is None else f"{each.expert + 1:>{number}}",
            figures.percent(each.weight).rjust(_PERCENT),
        )
        for each in routed
    ]
    taken = sum(len(name) + 1 + len(weight) + 2 for name, weight in texts)
    bar = (width - _LAYER - taken) // len(routed) - 1
    bar = 0 if bar < _LEAST_BAR else min(bar, _MOST_BAR)
    cells: list[Cell] = [(f" {layer:>5}  ", MUTED)]
    room = width - _LAYER
    for at, ((name, weight), each) in enumerate(zip(texts, routed, strict=True)):
        length = len(name) + 1 + len(weight) + (bar + 1 if bar else 0)
        if length > room - (0 if at + 1 == len(routed) else 3):
            cells.append(("…", MUTED))
            break
        room -= length + 2
        cells += [(name, "bold"), f" {weight}"]
        if bar:
            cells.append((" " + bars.bar(each.weight, bar).ljust(bar), likely(each.weight)))
        cells.append("  ")
    return Content.assemble(*cells).rstrip()
