"""The view of the "Neurons" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET
from tutor.app.widgets import figures
from tutor.labs.feed_forward.lab import Neuron, NeuronRow, Neurons, Prediction, State
from tutor.labs.kit.columns import ROOMY, Cell, Room, around, cursor
from tutor.labs.kit.keys import Keys, Pair, key, pair
from tutor.labs.kit.next_tokens.table import next_table
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, Offered, writes
from tutor.language import _
from tutor.text import counted

_NEXT = 6
"""The number of rows for the next-token table, below the list of neurons."""


class FeedForwardView(LabView):
    """A view of a block's strongest neurons, one neuron's activations, and the next token."""

    BINDINGS: ClassVar[Keys] = [
        *pair(Pair("up", "down", "↑↓←→"), "move_focus(*, 'neuron')", "neuron", "Choose a neuron."),
        Binding(
            "left", "move_focus(-1, 'block')", show=False, tooltip="Choose the previous block."
        ),
        Binding("right", "move_focus(1, 'block')", show=False, tooltip="Choose the next block."),
        key("enter", "switch('neuron')", "off/on", "Switch this neuron off or on."),
        key("z", "reset", "reset", "Switch all neurons on again."),
        key("e", "edit", "edit", "Edit the text."),
    ]
    OFFERED: ClassVar[Offered[State]] = {"reset": lambda state: bool(state.off)}

    action_edit = writes(_("A text for the model to continue:"), edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        shown, focus = state.shown, state.focus
        if shown is None or focus is None:
            return [reading_line(_("processing"), state.progress, width)]
        low = Room(width, height).low
        rows = max(1, height - 4 if low else height - 6 - _NEXT)
        lines = [
            _block(state, shown, width),
            *_neurons(state, shown, width, rows),
            _activations(shown, focus, width),
        ]
        if state.prediction is None:
            return [*lines, reading_line(_("processing"), state.progress, width)]
        changed = _changed(state, state.prediction, width)
        if low:
            return [*lines, changed]
        table = next_table(state.prediction.rows, width, height - len(lines) - 2)
        return [*lines, Content(""), changed, *table]


def _block(state: State, shown: Neurons, width: int) -> Content:
    parts: list[Cell] = [
        (_("block "), MUTED),
        (f"{state.block + 1:>2}", "bold"),
        (_(" of {blocks}").format(blocks=shown.blocks), MUTED),
    ]
    if width >= ROOMY:
        parts.append((_(", {hidden:,} neurons   ").format(hidden=shown.hidden), MUTED))
        parts.append((figures.tail(state.text, width - 40), ""))
    if shown.left_out:
        parts.append(
            (_("  {tokens} left out").format(tokens=counted(shown.left_out, "token")), MUTED)
        )
    return Content.assemble(*parts)


def _neurons(state: State, shown: Neurons, width: int, rows: int) -> list[Content]:
    target = figures.shown(shown.target)
    roomy = width >= ROOMY
    to_target = (
        _("adds to {target}").format(target=figures.fit(target, 10).rstrip())
        if roomy
        else _("adds")
    )
    wide = max(20, len(to_target) + 2) if roomy else 8
    heading = (
        f"{_('neuron'):>9}{to_target:>{wide}}{_('active') if roomy else _('act'):>10}  "
        f"{_('promotes')}"
    )
    lines = [Content.styled(heading, MUTED)]
    for at in around(state.row, len(shown.rows), rows):
        row, chosen = shown.rows[at], at == state.row
        off = Neuron(state.block, row.index) in state.off
        promoted = " ".join(map(figures.shown, row.promotes))
        room = max(4, width - 9 - wide - 12 - 1)
        lines.append(
            Content.assemble(
                cursor(chosen),
                ("× " if off else "  ", f"{NOT_YET} bold"),
                (f"{row.index + 1:>5}", f"{NOT_YET}" if off else ("bold" if chosen else "")),
                (f"{row.contribution:>+{wide}.2f}", ACT if row.contribution > 0 else MUTED),
                f"{row.activations[-1]:>10.1f}  ",
                (figures.fit(promoted, room), "" if chosen else MUTED),
            )
        )
    return lines


def _activations(shown: Neurons, focus: NeuronRow, width: int) -> Content:
    """Return the selected neuron's activations, token by token.

    If not all tokens fit, only the last ones are shown.
    """
    tokens = zip(shown.tokens, focus.activations, strict=True)
    named = [f"{figures.shown(token)} {value:.1f}" for token, value in tokens]
    head = _("activations of {index}: ").format(index=focus.index + 1) if width >= ROOMY else ""
    said = "  ".join(named)
    return Content.assemble((head, MUTED), figures.tail(said, width - len(head)))


def _changed(state: State, prediction: Prediction, width: int) -> Content:
    off = _("{count} off").format(count=len(state.off)) if state.off else _("all neurons on")
    if width < ROOMY:
        top = max(prediction.rows, key=lambda row: row.before)
        said = f"{figures.shown(top.token)} {figures.percent(top.before)} → "
        return Content.assemble((said, MUTED), (figures.percent(top.after), "bold"))
    return Content.assemble(
        (_("next token"), "bold"),
        (_("  {off}, changed by ").format(off=off), MUTED),
        (_("{divergence:.3f} bits").format(divergence=prediction.divergence), "bold"),
    )


VIEW = FeedForwardView
