"""The view of all heads at once: a contact sheet with a tiny strip of attention for each head."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.explorer.xray.inside import AskXRay, squeezed
from tutor.app.explorer.xray.tab import HeadTab
from tutor.app.theme import ACT, MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.clicks import focusing
from tutor.app.widgets.layout import with_first_that_fits
from tutor.labs.kit.columns import Cell, around, cursor
from tutor.language import _
from tutor.lm.attribution import Part

if TYPE_CHECKING:
    from tutor.app.explorer.xray.inside import ChosenHead, Findings, Request, Strip
    from tutor.labs.kit.columns import Room

_LABEL = 6
"""The width, in cells, of the layer's number, including the mark of the selected row."""
_NARROWEST, _WIDEST = 5, 16
"""The minimum and maximum width of a head's strip, in cells."""
_BRACKET = f"bold {ACT}"
"""The style of the brackets around the selected head."""


class HeadsTab(HeadTab):
    """A contact sheet, with a row for each layer and a column for each head."""

    id = "heads"
    name = _("heads")
    actions: ClassVar = frozenset({"layer", "head", "open"})

    def __init__(self, chosen: ChosenHead) -> None:
        super().__init__(chosen)
        self._visible: range = range(0)
        """The layers that were drawn last."""

    def missing(self, found: Findings) -> Request | None:
        unknown = (layer for layer in self._visible if found.strips(layer) is None)
        return super().missing(found) or next((AskXRay(layer) for layer in unknown), None)

    def head(self, found: Findings) -> Part:
        return Part(self.chosen.layer, self.chosen.head)

    def heading(self, found: Findings, width: int) -> Content:
        layer, head = self.chosen.layer, self.chosen.head
        place = Content.assemble(
            (_("layer "), MUTED),
            (f"{layer + 1:>2}", "bold"),
            (_("  head "), MUTED),
            (f"{head + 1:>2}", "bold"),
        )
        strips = found.strips(layer)
        if strips is None:
            return place
        strip = strips[head]
        name, weight = figures.shown(found.path[strip.top]), figures.percent(strip.weight)
        most = _("  attends most to token {number}, {name}: {weight}")
        brief = "  {name} {weight}"
        ends = [
            said.format(number=strip.top + 1, name=name, weight=weight) for said in (most, brief)
        ]
        bars_, tokens = _cell_width(found, width, len(strips)), len(found.tokens)
        if bars_ < tokens:  # a bar then shows the most attention to any of its tokens
            note = _("  ({bars} bars for {tokens} tokens)").format(bars=bars_, tokens=tokens)
            ends = [ends[0] + note, *ends]
        return with_first_that_fits(place, ends, width)

    def lines(self, found: Findings, room: Room) -> list[Content]:
        xray = found.xray
        assert xray is not None
        chosen = self.chosen
        cell = _cell_width(found, room.width, xray.heads)
        shown = around(chosen.head, xray.heads, (room.width - _LABEL) // (cell + 1))
        numbers = "".join(f"{head + 1:<{cell}} " for head in shown)
        lines = [Content.styled(f"{' ' * _LABEL}{numbers}".rstrip(), MUTED)]
        rows = around(xray.layers - 1 - chosen.layer, xray.layers, room.height - 1)
        self._visible = range(xray.layers - rows.stop, xray.layers - rows.start)
        for layer in reversed(self._visible):
            strips = found.strips(layer)
            here = layer == chosen.layer
            parts: list[Cell | Content] = [
                cursor(here),
                (f"{layer + 1:>3}", "bold" if here else MUTED),
            ]
            opening: Cell = " "
            for head in shown:
                selected = here and head == chosen.head
                if selected:
                    opening = ("[", _BRACKET)
                strip = Content.assemble(*_strip_cells(strips[head] if strips else None, cell))
                moves = {"layer": layer - chosen.layer, "head": head - chosen.head}
                parts += [opening, focusing(strip, **moves)]
                opening = ("]", _BRACKET) if selected else " "
            lines.append(Content.assemble(*parts, opening))
        return lines

    def move(self, found: Findings, what: str, by: int) -> None:
        xray, chosen = found.xray, self.chosen
        if xray is not None:
            layer = chosen.layer + (by if what == "layer" else 0)
            head = chosen.head + (by if what == "head" else 0)
            chosen.choose(layer, head, xray.layers, xray.heads)


def _cell_width(found: Findings, width: int, heads: int) -> int:
    """Return the width of a head's strip, which is one cell per token if there is room."""
    cell = (width - _LABEL) // heads - 1
    return max(_NARROWEST, min(_WIDEST, len(found.tokens), cell))


def _strip_cells(strip: Strip | None, width: int) -> list[Cell]:
    """Draw a strip with a block character for each value. A higher block means more attention."""
    if strip is None:
        return [("…".ljust(width), MUTED)]
    values = squeezed(strip.values, width)
    top = len(bars.LEVELS) - 1
    cells: list[Cell] = [
        (bars.LEVELS[min(top, int(value * len(bars.LEVELS)))], likely(value)) for value in values
    ]
    return [*cells, " " * (width - len(values))]
