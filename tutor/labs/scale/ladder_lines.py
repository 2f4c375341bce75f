"""Lines of the ladder of scale: what the models at hand and those one reads about were made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import bars, figures
from tutor.labs.kit.columns import cursor, wrapped
from tutor.labs.scale.lab import QUANTITIES, Quantity, ladder
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.scale.lab import State
    from tutor.labs.scale.rungs import Rung

_NAME = 23
_FIGURE = 9
_DECADES = 26
"""The bars of the ladder go from 1 to 10 to this power."""
_WIDEST_BAR = 52


def ladder_lines(state: State, width: int) -> list[Content]:
    """A line a model, and the source of the one in focus."""
    rungs = ladder(state)
    name = _NAME if width >= _NAME + 4 * _FIGURE else max(12, width - 2 - 2 * _FIGURE)
    quantity = QUANTITIES[state.quantity]
    two: tuple[Quantity, ...] = (QUANTITIES[0], quantity if state.quantity else "compute")
    shown = QUANTITIES if width >= _NAME + 4 * _FIGURE else two
    left = width - 2 - name - _FIGURE * len(shown) - 2
    bar = min(_WIDEST_BAR, left) if left >= 8 else 0
    heading: list[tuple[str, str] | str] = [(f"  {'':<{name}}", "")]
    for each in shown:
        style = "bold" if each == quantity else MUTED
        heading.append((f"{each.replace('parameters', 'weights'):>{_FIGURE}}", style))
    if bar:
        heading.append((f"  1 … 10^{_DECADES}", MUTED))
    return [
        Content.assemble(*heading),
        *(
            _rung(rung, place == state.rung, name, shown, quantity, bar)
            for place, rung in enumerate(rungs)
        ),
        Content(""),
        *_source(rungs[min(state.rung, len(rungs) - 1)], width),
    ]


def _rung(
    rung: Rung, here: bool, name: int, shown: Sequence[Quantity], quantity: Quantity, bar: int
) -> Content:
    parts: list[tuple[str, str] | str] = [
        cursor(here),
        (figures.fit(safe(rung.name), name - 1) + " ", "bold" if here else ""),
    ]
    for each in shown:
        text = _figure(rung, each)
        parts.append((f"{text:>{_FIGURE}}", "bold" if each == quantity else ""))
    value: float | None = getattr(rung, quantity)
    fraction = math.log10(value) / _DECADES if value else 0.0
    if bar:
        parts.append((f"  {bars.bar(fraction, bar)}", ACT if rung.here else MUTED))
    return Content.assemble(*parts)


def _figure(rung: Rung, quantity: Quantity) -> str:
    value: float | None = getattr(rung, quantity)
    if value is None:
        return "not told" if rung.elsewhere else "?"
    if quantity == "compute":
        return f">{value:.0e}" if rung.estimate else f"{value:.1e}"
    return _short(value)


def _short(value: float) -> str:
    """Three digits and k, M, B (10^9) or T (10^12)."""
    for power, sign in ((12, " T"), (9, " B"), (6, " M"), (3, " k")):
        if value >= 10**power:
            return f"{value / 10**power:.3g}{sign}"
    return f"{value:.0f}"


def _source(rung: Rung, width: int) -> list[Content]:
    says = "elsewhere" if rung.elsewhere else "here" if rung.here else "published"
    says = "estimate" if rung.estimate else says
    text = Content.assemble((f"{safe(rung.name)}, {says}: ", "bold"), rung.source)
    note = "compute: 6 operations a weight and token (6ND). Bytes of others: at 2 a weight."
    return [*wrapped(text, width), *wrapped(Content.styled(note, MUTED), width)]
