"""The view of the "residual stream" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding
from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import bars, figures
from tutor.app.widgets.clicks import focusing
from tutor.labs.kit import heat
from tutor.labs.kit.columns import ROOMY, Cell, Room, around, cursor
from tutor.labs.kit.keys import Keys, Pair, key, pair, tab
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, writes
from tutor.labs.residual.lab import VIEWS, Contributions, State, Stream
from tutor.language import _
from tutor.text import counted

_NUMBER = 9
_STRONGEST = 3
"""The number of heads listed below the table."""


class ResidualView(LabView):
    """A view of a table about the selected token, with a row for each block."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        *pair(Pair("up", "down", "↑↓←→"), "move_focus(*, 'block')", "block", "Choose a block."),
        Binding(
            "left", "move_focus(-1, 'token')", show=False, tooltip="Choose the previous token."
        ),
        Binding("right", "move_focus(1, 'token')", show=False, tooltip="Choose the next token."),
        *tab("next_view(*)", "view", "Show lengths, or contributions to a logit."),
        key("e", "edit", "edit", "Edit the text."),
    ]

    action_edit = writes(_("A text for the model to process:"), edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        if state.stream is None:
            return [reading_line(_("processing"), state.progress, width)]
        above = _tokens(state, state.stream, width)
        if state.view == "length":
            return [*above, *_lengths(state, state.stream, width, height - len(above))]
        if state.shown is None:
            return [*above, reading_line(_("processing"), state.progress, width)]
        return [*above, *_logit(state, state.shown, width, height - len(above))]


def _tokens(state: State, stream: Stream, width: int) -> list[Content]:
    """Return the tokens that fit on one line, with a mark at the selected token."""
    names = [figures.shown(token) for token in stream.tokens]
    first = state.position
    while first > 0 and sum(len(name) + 1 for name in names[first - 1 : state.position + 1]) < (
        width // 2
    ):
        first -= 1
    parts: list[Cell | Content] = [("… ", MUTED)] if first else []
    for at in range(first, len(names)):
        style = f"{ACT} reverse" if at == state.position else ""
        parts += [focusing((names[at], style), token=at - state.position), " "]
    line = Content.assemble(*parts)
    if stream.left_out:
        line += Content.styled(
            _(" {tokens} left out").format(tokens=counted(stream.left_out, "token")), MUTED
        )
    return [line]


def _lengths(state: State, stream: Stream, width: int, height: int) -> list[Content]:
    at = state.position
    lengths, attention = stream.stream[at], stream.attention[at]
    feed_forward = stream.feed_forward[at]
    roomy = width >= ROOMY
    heading = f"{_('block'):>7}{_('length'):>{_NUMBER + 2}}"
    heading += (
        f"{_('attention adds'):>16}{_('feed-forward'):>14}"
        if roomy
        else f"{_('attn'):>8}{_('ffwd'):>8}"
    )
    columns = (16, 14) if roomy else (8, 8)
    bar = max(0, min(30, width - len(heading) - 2))
    longest = max(lengths)
    lines = [Content.styled(heading, MUTED)]
    low = Room(width, height).low
    room = height - (1 if low else 3)
    for row in around(state.block, stream.blocks, max(1, room)):
        chosen = row == state.block
        lines.append(
            Content.assemble(
                cursor(chosen),
                (f"{row + 1:>5}", "bold" if chosen else MUTED),
                (f"{_length(lengths[row + 1]):>{_NUMBER + 2}}", "bold"),
                (f"{_length(attention[row]):>{columns[0]}}", MUTED),
                (f"{_length(feed_forward[row]):>{columns[1]}}", MUTED),
                "  ",
                (bars.bar(lengths[row + 1] / longest, bar), ACT if chosen else MUTED),
            )
        )
    if not low:
        before, after = lengths[state.block], lengths[state.block + 1]
        times = after / before if before else 1.0
        said = _("Block {block} takes the vector from length {length} to ").format(
            block=state.block + 1, length=_length(before)
        )
        said += f"{_length(after)}: × {times:.2f}."
        lines += [Content(""), Content.styled(said, MUTED)]
    return lines


def _logit(state: State, found: Contributions, width: int, height: int) -> list[Content]:
    roomy = width >= ROOMY
    head: list[Cell] = [
        (_("next ") if not roomy else _("most probable next token  "), MUTED),
        (figures.shown(found.target), "bold"),
        (f" {heat.percent(found.probability)}", MUTED),
        (_("  logit "), MUTED),
        (f"{found.logit:.2f}", "bold"),
    ]
    if roomy:
        head.append((_("  embedding {embedding:+.2f}").format(embedding=found.embedding), MUTED))
    bar = max(0, min(18, (width - 7 - 2 * _NUMBER - 10) // 2))
    gap = 6 if roomy else 1
    names = (_("attention"), _("feed-forward")) if roomy else (_("attn"), _("ffwd"))
    heading = f"{_('block'):>7}    {names[0]:<{_NUMBER + bar + gap + 2}}{names[1]}"
    widest = max(map(abs, (*found.attention, *found.feed_forward))) or 1.0
    lines = [Content.assemble(*head), Content.styled(heading, MUTED)]
    low = Room(width, height).low
    others = (3 if low else 4) + bool(found.bias)
    for row in around(state.block, len(found.attention), max(1, height - others)):
        chosen = row == state.block
        lines.append(
            Content.assemble(
                cursor(chosen),
                (f"{row + 1:>5}", "bold" if chosen else MUTED),
                *_added(found.attention[row], widest, bar),
                " " * gap,
                *_added(found.feed_forward[row], widest, bar),
            )
        )
    if found.bias:  # a separate row, because it belongs to no block
        name = _("bias of the final norm") if roomy else _("final bias")
        lines.append(Content.assemble((f"  {name}  ", MUTED), f"{found.bias:+.2f}"))
    return [*lines, *([] if low else [Content("")]), _heads(state, width)]


def _added(value: float, widest: float, bar: int) -> list[Cell]:
    """Return a contribution with its sign, and a bar for its absolute value."""
    style = ACT if value > 0 else MUTED
    return [f"{value:>+{_NUMBER}.2f}  ", (bars.bar(abs(value) / widest, bar), style)]


def _heads(state: State, width: int) -> Content:
    found = state.shown_heads
    if found is None:
        return reading_line(_("processing"), state.progress, width)
    ranked = sorted(range(len(found.heads)), key=lambda head: -abs(found.heads[head]))
    named = [
        _("head {head} {heads:+.2f}").format(head=head + 1, heads=found.heads[head])
        for head in ranked[:_STRONGEST]
    ]
    name = (
        _("strongest heads of block {block}: ").format(block=state.block + 1)
        if width >= ROOMY
        else ""
    )
    return Content.assemble((name, MUTED), "   ".join(named))


def _length(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


VIEW = ResidualView
