"""Draw the ranked list of contributions, with their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.layout import first_that_fits
from tutor.labs.kit.attribution.words import NUMBER, amount, explained, part_name
from tutor.labs.kit.columns import Room, around, cursor
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.attribution import Attribution, Contribution


def ranked_lines(
    attribution: Attribution, ranked: Sequence[Contribution], at: int, room: Room
) -> list[Content]:
    """Draw the ranked contributions around index `at`, and their sum in the last line."""
    name = 24 if room.roomy else 22
    bar = room.width - 2 - name - NUMBER - 2
    largest = max((abs(each.logits) for each in ranked), default=0.0)
    lines = [
        Content.assemble(
            cursor(index == at),
            (figures.fit(part_name(ranked[index].part), name), "bold" if index == at else ""),
            *amount(ranked[index].logits, largest, bar),
        )
        for index in around(at, len(ranked), room.height - 1)
    ]
    return [*lines, _sum_line(attribution, ranked, name, room.width)]


def _sum_line(
    attribution: Attribution, ranked: Sequence[Contribution], name: int, width: int
) -> Content:
    total = sum(each.logits for each in ranked)
    label = _("sum of {parts}").format(parts=counted(len(ranked), "part"))
    start = [("  ", ""), (figures.fit(label, name), MUTED), (f"{total:>{NUMBER}.2f}", "bold")]
    rest = width - 2 - name - NUMBER
    # Even if the two numbers differ by less than 0.001, they can round to different decimals.
    equals = "=" if f"{total:.2f}" == f"{attribution.logit:.2f}" else "≈"
    return Content.assemble(
        *start, (first_that_fits([f"  {equals} {explained(attribution)}"], rest), MUTED)
    )
