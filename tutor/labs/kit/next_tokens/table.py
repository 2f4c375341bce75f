"""A table that compares two next-token distributions, before and after a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED, likely
from tutor.app.widgets import bars, figures
from tutor.labs.kit import heat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.kit.next_tokens.row import NextRow


def next_table(rows: Sequence[NextRow], width: int, height: int) -> list[Content]:
    """Return the table's lines, one for each token, sorted by the probability before the change.

    If not all tokens fit into `height` lines, the table contains those with the highest
    probability, before or after the change.
    """
    name = min(14, max(8, width // 5))
    bar = max(0, (width - name - 26) // 2)
    shown = sorted(rows, key=lambda row: -max(row.before, row.after))[: max(1, height)]
    return [
        Content.assemble(
            "  ",
            figures.fit(figures.shown(row.token), name),
            (heat.percent(row.before).rjust(8), MUTED),
            (" " + bars.bar(row.before, bar), MUTED),
            (" →", MUTED),
            (heat.percent(row.after).rjust(8), "bold"),
            (" " + bars.bar(row.after, bar), likely(row.after)),
        )
        for row in sorted(shown, key=lambda row: -row.before)
    ]
