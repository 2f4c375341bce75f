"""The view of the "Attention formula by hand" lab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT, likely
from tutor.app.widgets import bars, figures
from tutor.labs.attention_formula.lab import SHARES, STEPS, SUM, Answer, State, Worked
from tutor.labs.kit import heat
from tutor.labs.kit.columns import Room, around, cursor
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, UP_DOWN, Keys, Pair, key, pair
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, writes
from tutor.language import _
from tutor.text import counted

NAMES = ("q·k", _("÷√size"), _("mask"), _("softmax"), _("sum of v"))
_COLUMN = 9
_LARGE = 300
"""The largest exponent x for which the screen shows the value of e^x. For larger exponents, e^x can
overflow."""
_SAME = 1e-4
"""The largest difference from the network's own output that counts as a rounding error."""


class AttentionFormulaView(LabView):
    """A view of a table with a row for each token. Each step of the formula adds a column."""

    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "move_focus(*, 'step')", "step", "Go to the next or previous step."),
        *pair(UP_DOWN, "move_focus(*, 'key')", "row", "Choose the token that is attended to."),
        *pair(P_N, "move_focus(*, 'token')", "query", "Choose the token that attends."),
        *pair(Pair("k", "l", "k/l"), "move_focus(*, 'layer')", "layer", "Choose a layer."),
        *pair(Pair("h", "j", "h/j"), "move_focus(*, 'head')", "head", "Choose a head."),
        key("o", "switch('root')", "root", "Switch the division by the root on or off."),
        key("m", "switch('mask')", "mask", "Switch the causal mask on or off."),
        key("e", "edit", "edit", "Edit the sentence."),
    ]

    action_edit = writes(_("Sentence:"), edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if state.read is None or state.worked is None:
            return [Content.styled(_("Computing the vectors…"), MUTED)]
        room = Room(width, height)
        above = [_place(state, state.read, room), _steps(state, room), *_words(state, room)]
        below = _total(state, state.read, state.worked, width) if state.step == SUM else []
        rows = max(2, height - len(above) - len(below) - 1)
        return [*above, *_table(state, state.worked, width, rows), *below]


def _place(state: State, read: Answer, room: Room) -> Content:
    roomy = room.roomy
    more = (
        _("  {tokens} left out").format(tokens=counted(read.left_out, "token"))
        if read.left_out
        else ""
    )
    return Content.assemble(
        (figures.shown(state.tokens[state.token]), "bold"),
        (_(" attends   layer "), MUTED),
        (f"{state.layer + 1:>2}", "bold"),
        (
            _("{roomy}  head ").format(roomy=_(" of {layers}").format(layers=read.layers) * roomy),
            MUTED,
        ),
        (f"{state.head + 1:>2}", "bold"),
        (
            f"{_(' of {heads}  size {size}').format(heads=read.heads, size=read.size) * roomy}",
            MUTED,
        ),
        (more, MUTED),
    )


def _steps(state: State, room: Room) -> Content:
    off = {1: not state.divide, 2: not state.hide}
    if not room.roomy:
        left_out = " off" if off.get(state.step) else ""
        return Content.assemble(
            (_("step {step} of {steps}  ").format(step=state.step + 1, steps=STEPS), MUTED),
            (NAMES[state.step] + left_out, f"{ACT} bold"),
        )
    parts: list[tuple[str, str]] = []
    for at, name in enumerate(NAMES):
        label = f"{at + 1} {name}" + (_(" off") if off.get(at) else "")
        style = f"{ACT} bold" if at == state.step else "" if at < state.step else MUTED
        parts += [("›" if at == state.step else " ", ACT), (f"{label}  ", style)]
    return Content.assemble(*parts)


def _words(state: State, room: Room) -> list[Content]:
    """Explain the selected step, and show its arithmetic for the selected token."""
    read, worked = state.read, state.worked
    assert read is not None
    assert worked is not None
    at, size = state.key, read.size
    name = figures.shown(state.tokens[at])
    query, key = read.rows(read.queries)[state.token], read.rows(read.keys)[at]
    value = read.rows(read.values)[at]
    match state.step:
        case 0:
            count = max(1, min(4, (room.width - 34) // 14))
            terms = " + ".join(
                f"{_number(query[i])}·{_number(key[i])}" for i in range(min(count, size))
            )
            sums = _("{terms} + {size} more = {products}").format(
                terms=terms, size=size - count, products=_number(worked.products[at])
            )
            does = _("How well does the query match each key? Multiply pairwise, then add.")
        case 1:
            product = _number(worked.products[at])
            sums = f"{product} / {math.sqrt(size):.2f} = {_number(worked.scaled[at])}"
            does = _("Longer vectors give larger sums, so divide by the root of their size.")
            if not state.divide:
                sums, does = (
                    f"{product}, unchanged",
                    _("The division is off, so the scores stay large."),
                )
        case 2:
            later = at > state.token
            sums = _("comes later: −∞") if later and state.hide else _("unchanged")
            does = _("The mask hides all later tokens.")
            if not state.hide:
                does = _("The mask is off, so the token can attend to later tokens.")
        case 3:
            sums = f"{_powers(worked.masked, at)} = {heat.percent(worked.shares[at])}"
            does = _("Raise e to each score and divide by the sum. Weights total 100 %.")
        case _:
            shown = ", ".join(_number(number) for number in list(value)[:3])
            sums = f"{heat.percent(worked.shares[at])} · ({shown}, …)"
            does = _("Weight each value, then add. “adds” is the length of the weighted vector.")
    lines = [Content.styled(does, MUTED)] if room.roomy else []
    return [*lines, *Content.assemble((name, "bold"), "  ", sums).wrap(room.width)]


def _powers(scores: Sequence[float], at: int) -> str:
    """Format one softmax weight as a fraction: e^score, divided by the sum over all tokens.

    The numerator and the denominator are shown as numbers, unless they are too large.
    """
    if max(scores) > _LARGE:
        return f"e^{_number(scores[at])}   / all"
    every = sum(math.exp(score) for score in scores)
    return _("e^{scores} / all = {exp:.4g} / {every:.4g}").format(
        scores=_number(scores[at]), exp=math.exp(scores[at]), every=every
    )


def _number(value: float) -> str:
    return "−∞" if math.isinf(value) else f"{value:.2f}".replace("-", "−")


def _table(state: State, worked: Worked, width: int, rows: int) -> list[Content]:
    tokens = state.tokens
    name = min(12, max(7, width // 6))
    columns = [
        ("q·k", [_number(value) for value in worked.products]),
        (_("÷√size"), [_number(value) for value in worked.scaled]),
        (_("masked"), [_number(value) for value in worked.masked]),
        (_("weight"), [heat.percent(value) for value in worked.shares]),
        (_("adds"), [f"{value:.3f}" for value in worked.adds]),
    ]
    columns = columns[: state.step + 1]
    fit = max(1, (width - name - 6) // _COLUMN)
    columns = columns[-fit:]  # On a narrow screen, show only the last steps.
    bar = max(0, min(24, width - name - 8 - _COLUMN * STEPS))
    heading = "".join(f"{head:>{_COLUMN}}" for head, __ in columns)
    lines = [Content.styled(" " * (name + 6) + heading, MUTED)]
    longest = max(worked.adds) or 1
    for at in around(state.key, len(tokens), rows):
        hidden = at > state.token and state.hide and state.step >= 2
        chosen = at == state.key
        cells = [f"{values[at]:>{_COLUMN}}" for __, values in columns]
        share = worked.shares[at] if state.step == SHARES else worked.adds[at] / longest
        drawn = bars.bar(share, bar) if state.step >= SHARES else ""
        lines.append(
            Content.assemble(
                cursor(chosen),
                (f"{at + 1:>2} ", MUTED),
                (figures.fit(figures.shown(tokens[at]), name), MUTED if hidden else ""),
                ("?" if at == state.token else " ", f"{ACT} bold"),
                ("".join(cells[:-1]), MUTED),
                (cells[-1], MUTED if hidden else "bold" if chosen else ""),
                "  ",
                (drawn, likely(worked.shares[at])),
            )
        )
    return lines


def _total(state: State, read: Answer, worked: Worked, width: int) -> list[Content]:
    """Return the weighted sum and, below it, the output that the network computed."""
    room = max(2, min(8, (width - 20) // 8))

    def numbers(values: Sequence[float]) -> str:
        return "".join(f"{_number(value):>7}" for value in list(values)[:room]) + "  …"

    lines = [Content.assemble((_("the sum       "), MUTED), (numbers(worked.total), "bold"))]
    own = read.rows(read.answers)[state.token]
    lines.append(Content.assemble((_("the network's "), MUTED), numbers(own)))
    if worked.off is None:
        lines.append(Content.styled(_("They differ because you left out a step."), MUTED))
    else:
        mark, style = ("✓ ", RIGHT) if worked.off < _SAME else ("× ", NOT_YET)
        said = _("all {size} numbers agree within {off:.0e}").format(size=read.size, off=worked.off)
        lines.append(Content.assemble((mark, style), (said, MUTED)))
    return lines


VIEW = AttentionFormulaView
