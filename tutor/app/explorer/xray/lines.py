"""Draw the rows of the x-ray: attention weights, or the prediction of each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.widgets import bars, figures
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.distribution import LensRow, Token


def attention_lines(
    path: Sequence[Token], weights: Sequence[float], rows: Sequence[int], width: int
) -> list[Content]:
    """Draw a row for each position in `rows`, with its token and the attention weight."""
    place = max(3, len(str(len(weights))))
    name = max(8, min(20, width // 4))
    room = max(4, width - place - name - figures.PERCENT_WIDTH - 7)
    lines = []
    for index in rows:
        weight = weights[index]
        lines.append(
            Content.assemble(
                (f" {index + 1:>{place}}  ", theme.MUTED),
                figures.fit(figures.shown(path[index]), name),
                figures.percent(weight).rjust(figures.PERCENT_WIDTH),
                "  ",
                (bars.bar(weight, room), theme.likely(weight)),
            )
        )
    return lines


def lens_heading(target: Token, width: int) -> Content:
    """Draw the column names above the rows of `lens_lines`."""
    says, __ = _lens_columns(width)
    start = _(" layer  ") + figures.fit(_("predicts"), says + figures.PERCENT_WIDTH + 3)
    return Content.assemble(
        (start, theme.MUTED),
        (_("probability of ") if width >= 60 else _("p of "), theme.MUTED),
        (figures.shown(target), "bold"),
    )


def lens_lines(rows: Sequence[LensRow], width: int) -> list[Content]:
    """Draw a row for each layer, with its top token and the probability of the actual token."""
    says, room = _lens_columns(width)
    return [
        Content.assemble(
            (f" {row.layer:>5}  ", theme.MUTED),
            figures.fit(figures.shown(row.top), says),
            figures.percent(row.top_probability).rjust(figures.PERCENT_WIDTH),
            "   ",
            (figures.percent(row.target_probability).rjust(figures.PERCENT_WIDTH), "bold"),
            "  ",
            (
                bars.bar(row.target_probability, room),
                theme.likely(row.target_probability),
            ),
        )
        for row in rows
    ]


def _lens_columns(width: int) -> tuple[int, int]:
    says = max(8, min(20, width // 4))
    return says, max(0, width - says - 2 * figures.PERCENT_WIDTH - 13)


def spaced(count: int, room: int) -> list[int]:
    """Return `room` evenly spaced indexes out of `count`, including the first and the last."""
    if count <= room or room < 2:
        return list(range(count))
    return [round(step * (count - 1) / (room - 1)) for step in range(room)]
