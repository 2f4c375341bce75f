"""The view of the "Surgery" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.content import Content

from tutor.app.explorer.xray.lines import spaced
from tutor.app.theme import MUTED, NOT_YET, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.clicks import focusing
from tutor.labs.kit import heat
from tutor.labs.kit.columns import ROOMY, Cell, Room, around
from tutor.labs.kit.keys import Keys, Pair, key, pair, tab
from tutor.labs.kit.next_tokens.table import next_table
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, Offered, does, writes
from tutor.labs.surgery.lab import FEED_FORWARD, VIEWS, Cut, State, SwitchOffCopier
from tutor.language import _
from tutor.text import counted

_PANEL = 6
"""The number of rows below the grid that are reserved for results."""
_MOST_BITS = 24.0


class SurgeryView(LabView):
    """A view of all parts as a grid and, below it, the effect of switching some of them off."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        key("enter", "switch('part')", "off/on", "Switch this part off or on."),
        *pair(Pair("up", "down", "↑↓←→"), "move_focus(*, 'part')", "part", "Choose a part."),
        Binding("left", "move_focus(-1, 'layer')", show=False),
        Binding("right", "move_focus(1, 'layer')", show=False),
        key("a", "switch('heads')", "all heads", "Switch all heads of this layer off or on."),
        *tab("next_view(*)", "view", "Switch between the three views below."),
        key("b", "best", "copier off", "Switch off the head that copies most."),
        key("z", "reset", "reset", "Switch all parts back on."),
        key("e", "edit", "edit", "Edit the text."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "reset": lambda state: bool(state.cuts),
        "best": lambda state: state.view == "copying",
    }

    action_best = does(SwitchOffCopier)
    action_edit = writes(_("Text for the model to continue:"), edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if not state.layers:
            return [reading_line(_("Processing"), state.progress, width)]
        panel = {"next": _next, "lens": _lens, "copying": _copying}[state.view]
        if state.view == "lens":
            return [_focus(state, width), *panel(state, width, height - 1)]
        rows = max(2, min(state.heads + 1, height - _PANEL - 1))
        if Room(width, height).low:
            rows = max(1, height - (5 if state.view == "copying" else 4))
        grid = _grid(state, width, rows)
        return [_focus(state, width), *grid, *panel(state, width, max(2, height - len(grid) - 1))]


def _focus(state: State, width: int) -> Content:
    """Return a line with the selected part, and the number of parts that are off."""
    cut = state.focus
    what = (
        _("feed-forward")
        if cut.head == FEED_FORWARD
        else _("head {head}").format(head=cut.head + 1)
    )
    off = cut in state.cuts
    score = state.score(cut) if state.view == "copying" else None
    parts: list[Cell] = [
        (_("layer "), MUTED),
        (f"{cut.layer + 1:>2}", "bold"),
        (_(" of {layers}  ").format(layers=state.layers) if width >= ROOMY else "  ", MUTED),
        (f"{what:<12} ", "bold"),
        (_("off") if off else _("on "), f"{NOT_YET} bold" if off else MUTED),
    ]
    if score is not None:
        parts.append((f"  {_('copies ') if width >= ROOMY else ''}{heat.percent(score)}", ""))
    forward = len(state.cuts) - state.heads_off
    if state.cuts and width >= ROOMY:
        parts.append(
            (
                _("   off: {heads}, {forward} feed-forward").format(
                    heads=counted(state.heads_off, "head"), forward=forward
                ),
                MUTED,
            )
        )
    return Content.assemble(*parts)


def _grid(state: State, width: int, rows: int) -> list[Content]:
    """Return a grid of the network's parts, with a column for each layer.

    There is a row for each head, and one row for the feed-forward networks.
    """
    label = 9 if width >= ROOMY else 7
    room = width - label
    wide = 2 if 2 * state.layers <= room else 1
    layers = around(state.layer, state.layers, room // wide)
    numbers = "".join(f"{(layer + 1) % 10:<{wide}}" for layer in layers)
    lines = [Content.styled(f"{_('layer'):<{label}}{numbers}", MUTED)] if rows > 2 else []
    for part in around(state.part, state.heads + 1, rows):
        head = part if part < state.heads else FEED_FORWARD
        forward = _("feed-fwd") if label > 8 else "feed"
        name = forward if head == FEED_FORWARD else _("head {head}").format(head=head + 1)
        chosen = part == state.part
        down = part - state.part
        title = focusing((f"{name:<{label}}", "bold" if chosen else MUTED), part=down)
        cells = (
            focusing(_cell(state, Cut(layer, head), wide), part=down, layer=layer - state.layer)
            for layer in layers
        )
        lines.append(Content.assemble(title, *cells))
    return lines


def _cell(state: State, cut: Cut, wide: int) -> tuple[str, str]:
    if cut in state.cuts:
        glyph, style = "×", f"{NOT_YET} bold"
    elif state.view == "copying" and (score := state.score(cut)) is not None:
        glyph, style = heat.cell(score)
    else:
        glyph, style = "·", MUTED
    if cut == state.focus:
        style = f"{style} reverse"
    return glyph.ljust(wide), style


def _next(state: State, width: int, height: int) -> list[Content]:
    found = state.next
    if found is None:
        return [reading_line(_("Processing"), state.progress, width)]
    heading: list[Cell] = [
        (_("next token"), "bold"),
        (_("  changed by "), MUTED),
        (_("{divergence:.3f} bits").format(divergence=found.divergence), "bold"),
    ]
    if found.left_out:
        heading.append(
            (_("  {tokens} left out").format(tokens=counted(found.left_out, "token")), MUTED)
        )
    elif width >= ROOMY:
        heading.append(
            (_("   after  {tail}").format(tail=figures.tail(state.text, width - 46)), MUTED)
        )
    return [Content.assemble(*heading), *next_table(found.rows, width, height - 1)]


def _lens(state: State, width: int, height: int) -> list[Content]:
    found = state.lens
    if found is None:
        return [reading_line(_("Processing"), state.progress, width)]
    name, layer = (12, 7) if width >= ROOMY else (7, 3)
    said = _("top token if the network stopped at this layer, and probability of ")
    lines = [
        Content.assemble(
            (said if width >= ROOMY else _("logit lens, for "), MUTED),
            (figures.shown(found.target), "bold"),
        ),
        Content.styled(
            f"{_('layer') if layer > 5 else '':>{layer}}  {_('before'):<{name + 8}}  {_('after')}",
            MUTED,
        ),
    ]
    bar = max(0, min(16, width - layer - 2 * name - 22))
    for at in spaced(len(found.rows), max(2, height - 2)):
        row = found.rows[at]
        lines.append(
            Content.assemble(
                (f"{row.layer:>{layer}}  ", MUTED),
                (figures.fit(figures.shown(row.before), name), MUTED),
                (heat.percent(row.before_target).rjust(8), MUTED),
                "  ",
                figures.fit(figures.shown(row.after), name),
                (heat.percent(row.after_target).rjust(8), "bold"),
                "  ",
                (bars.bar(row.after_target, bar), likely(row.after_target)),
            )
        )
    return lines


def _copying(state: State, width: int, height: int) -> list[Content]:
    found = state.copied
    wide = width >= ROOMY
    said = _("16 random tokens, repeated once: surprisal per token, in bits")
    lines = [Content.styled(said if wide else _("random tokens, repeated: bits per token"), MUTED)]
    if found is None:
        return [*lines, reading_line(_("Processing"), state.progress, width)]
    bar = max(0, width - 34)
    for name, value, strong in (
        (_("first time"), found.new, False),
        (_("repeat, all parts on"), found.before, False),
        (_("repeat, some off"), found.after, True),
    ):
        lines.append(
            Content.assemble(
                (f"  {name:<21}", "bold" if strong else MUTED),
                (f"{value:>7.2f}", "bold" if strong else ""),
                "  ",
                (bars.bar(value / _MOST_BITS, bar), likely(0.3) if strong else MUTED),
            )
        )
    if not state.cuts and wide:
        lines.append(Content.styled(_("Press b to switch off the head that copies most."), MUTED))
    return lines


VIEW = SurgeryView
