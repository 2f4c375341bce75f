"""The view of the "Four products, with dates" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.course.facts import UNITS
from tutor.labs.kit.columns import ROOMY, Room, around, cursor, wrapped
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.view import LabView
from tutor.labs.landscape.lab import Known, State
from tutor.language import _
from tutor.text import safe

_TOPIC = 24
_SHORT_TOPIC = 14
_SAID = 5
"""The number of rows below the table for the selected fact."""
_WITH_MONTH = 34
"""The minimum width of a table cell, in columns, at which the cell also shows the month."""


class LandscapeView(LabView):
    """A view of a table with two products and, below it, the selected fact in full."""

    BINDINGS: ClassVar[Keys] = [
        *pair(UP_DOWN, "move_focus(*, 'topic')", "fact", "Choose a fact."),
        *pair(LEFT_RIGHT, "choose(*, 'product')", "product", "Choose another product."),
        *tab("switch('side')", "side", "Switch to the other side."),
        key("enter", "ask", "ask models", "Open the lab that compares models."),
    ]

    def action_ask(self) -> None:
        self.host.open_live_lab("compare")

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if state.facts is None:
            return [Content.styled(_("Loading the facts…"), MUTED)]
        low = Room(width, height).low
        below = _in_full(state, width) if low else [Content(""), *_in_full(state, width)]
        rows = max(2, height - 1 - max(0 if low else _SAID, len(below)))
        table = [
            _row(state, state.topics[place], place == state.row, width)
            for place in around(state.row, len(state.topics), rows)
        ]
        return [_heading(state, width), *table, *below]


def _sizes(width: int) -> tuple[int, int]:
    """Return the widths of the topic column and of a product column."""
    topic = _SHORT_TOPIC if width < ROOMY else _TOPIC
    return topic, (width - topic - 4) // 2


def _heading(state: State, width: int) -> Content:
    topic, cell = _sizes(width)
    names = []
    for side in (0, 1):
        here = side == state.side
        name = figures.fit(("› " if here else "  ") + state.product(side), cell)
        names.append((name, f"{ACT} bold" if here else "bold"))
        names.append(("  ", ""))
    return Content.assemble(" " * (topic + 2), *names)


def _row(state: State, topic: str, here: bool, width: int) -> Content:
    size, cell = _sizes(width)
    cells: list[tuple[str, str]] = []
    for side in (0, 1):
        looked_at = here and side == state.side
        fact = state.fact(side, topic)
        style = "bold" if looked_at else MUTED if fact is None else ""
        cells += [(figures.fit(f"  {_cell(fact, cell)}", cell), style), ("  ", "")]
    return Content.assemble(
        cursor(here), (figures.fit(safe(topic), size), "bold" if here else MUTED), *cells
    )


def _cell(fact: Known | None, size: int) -> str:
    """Return a fact's value, with a mark if it is second-hand, and the month if there is room."""
    if fact is None:
        return "–"
    mark = "*" if fact.second_hand else " "
    month = f" {fact.as_of}" if size >= _WITH_MONTH else ""
    room = size - 2 - len(month) - len(mark)
    return figures.fit(safe(fact.value), room) + month + mark


def _in_full(state: State, width: int) -> list[Content]:
    """Return the selected fact in full, with its month and its source."""
    fact, product = state.looked_at, state.product(state.side)
    if fact is None:
        said = _("{product}: {topic}. We have no source for this.").format(
            product=product, topic=state.topic
        )
        return wrapped(Content.styled(safe(said), MUTED), width)
    old = _("  at least a year older than the newest fact") if state.is_old(fact) else ""
    unit = f"  {UNITS[fact.topic]}" if fact.topic in UNITS else ""
    told = _("  * not from the vendor") if fact.second_hand else ""
    return [
        *wrapped(
            Content.assemble((f"{product}: ", MUTED), (safe(fact.value), "bold"), (unit, MUTED)),
            width,
        ),
        *wrapped(
            Content.assemble(
                _("as of {as_of}").format(as_of=fact.as_of), (old, NOT_YET), (told, NOT_YET)
            ),
            width,
        ),
        *wrapped(Content.styled(safe(fact.source), MUTED), width),
    ]


VIEW = LandscapeView
