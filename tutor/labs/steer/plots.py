"""The plots of the "Steering" lab: the perplexity by strength, and the effect by layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures, plot
from tutor.labs.kit.columns import ROOMY, beside
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.progress_line import progress_line
from tutor.labs.steer.questions import BASE, STEP, Effect, GridPoint, at
from tutor.labs.steer.state import GRID, ONE, State
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST = 5
"""The minimum number of lines of a plot."""
_LEAST_OF_LAYERS = 3
"""The minimum number of lines of the plot by layer, which has a mark below it, but no numbers."""


def cost_lines(state: State, width: int, height: int) -> list[Content]:
    """Return plots of the perplexity and of the words' probabilities at each strength."""
    lines = [_cost_now(state, width), *_progress(state, width)]
    if state.missing:
        return lines
    strengths = plot.Axis(GRID[0] * STEP, GRID[-1] * STEP)
    bits = [(dial * STEP, math.log2(state.costs[at(state.layer, dial)])) for dial in GRID]
    effects = [(dial * STEP, state.effects[at(state.layer, dial)]) for dial in GRID]
    now = [(state.strength, math.log2(cost[1]))] if (cost := state.perplexities) else []
    wide = width >= ROOMY
    column = width // 2 + 1
    each = column - 2 if wide else width
    rows = max(_LEAST, height - len(lines) - 1)
    perplexity = [
        Content.styled(_("bits per token of neutral text"), MUTED),
        *plot.curves(bits, now, strengths, plot.up_to(max(b for __, b in bits)), each, rows),
    ]
    if not wide:
        return [*lines, *perplexity]
    top = max(max(effect.first, effect.second) for __, effect in effects)
    words = [
        plot.legend((_("{name} words").format(name=state.names[0]), state.names[1]), unit="%"),
        *plot.curves(
            [(x, effect.first) for x, effect in effects],
            [(x, effect.second) for x, effect in effects],
            strengths,
            plot.up_to(top)._replace(percent=True),
            each,
            rows,
        ),
    ]
    return [*lines, *beside(perplexity, words, column)]


def _cost_now(state: State, width: int) -> Content:
    """Return a line about the perplexity at the current strength."""
    cost = state.perplexities
    if cost is None:
        return Content.styled(_("perplexity …"), MUTED)
    parts = [
        (_("perplexity "), MUTED),
        (f"{cost[0]:.1f} → {cost[1]:.1f}", "bold"),
    ]
    if width >= ROOMY:
        said = _("   = 2 ^ bits per token: {before:.2f} → {after:.2f}").format(
            before=math.log2(cost[0]), after=math.log2(cost[1])
        )
        parts.append((said, MUTED))
    return Content.assemble(*parts)


def layer_lines(state: State, width: int, height: int) -> list[Content]:
    """Return a plot of the vector's effect at each layer, and the values at the selected layer.

    A mark below the plot shows which layer is selected.
    """
    lines = _layer_now(state, width)
    lines += _progress(state, width)
    if state.missing:
        return lines
    up, down = (
        [(layer + 1.0, state.effects[GridPoint(layer, dial)].bits) for layer in range(state.layers)]
        for dial in (ONE, -ONE)
    )
    top = plot.up_to(max(bits for __, bits in (*up, *down)))
    layers = plot.Axis(1.0, max(2.0, float(state.layers)), _("layer"))
    rows = max(_LEAST_OF_LAYERS, height - len(lines) - 2)
    legend = plot.legend((_("strength +1"), _("strength -1")), unit=_("change in bits"))
    return [
        *lines,
        legend,
        *plot.curves(up, down, layers, top, width, rows),
        plot.mark_below(state.layer + 1, layers, top, width, rows),
    ]


def _layer_now(state: State, width: int) -> list[Content]:
    """Return a line for each sign of the strength, with the effect at the selected layer."""
    base = state.effects.get(BASE)
    lines = []
    for dial in (ONE, -ONE):
        effect = state.effects.get(GridPoint(state.layer, dial))
        said = _("strength {strength:+.0f}").format(strength=dial * STEP)
        lines.append(
            Content.assemble(
                (f"{said:<13}", MUTED),
                (f"{effect.bits:.2f} bits" if effect else "…", "bold"),
                (_of_words(state, base, effect) if width >= ROOMY else "", MUTED),
            )
        )
    return lines


def _of_words(state: State, before: Effect | None, after: Effect | None) -> str:
    if before is None or after is None:
        return ""
    percent: Callable[[float], str] = figures.percent
    return (
        f"   {state.names[0]} {percent(before.first)} → {percent(after.first)}"
        f"   {state.names[1]} {percent(before.second)} → {percent(after.second)}"
    )


def _progress(state: State, width: int) -> list[Content]:
    if not state.missing:
        return []
    if state.stopped:
        return [Content.styled(_("Stopped. Press r to continue."), MUTED)]
    total = len(state.grid)
    return [progress_line(Progress(total - len(state.missing), total), width, _("measurements"))]
