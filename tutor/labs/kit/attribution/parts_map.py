"""Draw contributions as a map of layers and heads, with a column of feed-forward networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.clicks import focusing
from tutor.labs.kit import heat
from tutor.labs.kit.columns import Room, around, cursor
from tutor.language import _

if TYPE_CHECKING:
    from tutor.lm.attribution import Attribution, Part

_CELL = 3
"""The width of a cell of the map: the width of a head's number, and a space."""


def map_lines(attribution: Attribution, at: Part, room: Room) -> list[Content]:
    """Draw a map with a row for each layer, the last one at the top, and a column for each head.

    The last column contains the feed-forward networks. `at` is the selected part. If the map
    doesn't fit, only the rows and columns near `at` are drawn. A click on a cell moves the focus
    along the axes "layer" and "part".
    """
    layers, heads = len(attribution.heads), len(attribution.heads[0])
    layer = at.layer or 0
    column = heads if at.head is None else at.head
    label = 2 + 6
    fits = max(1, (room.width - label - 1) // _CELL - 1)
    shown = around(min(column, heads - 1), heads, fits)
    numbers = "".join(f"{head + 1:>{_CELL - 1}} " for head in shown)
    heading = f"{_('layer'):>{label - 1}} {numbers} {_('ff')}"
    lines = [Content.styled(heading, MUTED)]
    for row in around(layers - 1 - layer, layers, room.height - 1):
        each = layers - 1 - row
        values = [attribution.heads[each][head] for head in shown]
        here = each == at.layer
        cells = [
            focusing(
                _map_cell(value, here and head == column), layer=each - layer, part=head - column
            )
            for head, value in zip(shown, values, strict=True)
        ]
        network = _map_cell(attribution.feed_forward[each], here and column == heads)
        last = focusing(network, layer=each - layer, part=heads - column)
        number = (f"{each + 1:>{label - 3}} ", "bold" if here else MUTED)
        spaced = [part for cell in cells for part in (cell, " ")]
        lines.append(Content.assemble(cursor(here), number, *spaced, " ", last))
    return lines


def _map_cell(logits: float, here: bool) -> tuple[str, str]:
    """Return the glyph for a contribution, and its style: reverse video if `here` is True."""
    glyph, style = heat.signed_cell(logits)
    return glyph.rjust(_CELL - 1), f"{style} reverse" if here else style
