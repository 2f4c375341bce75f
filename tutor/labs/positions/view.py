"""The view of the "Positions" lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.key_scheme import lab_keys
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import figures
from tutor.labs.kit.columns import ROOMY, Cell, Room
from tutor.labs.kit.keys import LEFT_RIGHT, Keys, key, pair
from tutor.labs.kit.next_tokens.table import next_table
from tutor.labs.kit.progress_line import reading_line
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, Offered, writes
from tutor.labs.positions.lab import State
from tutor.language import _
from tutor.text import counted

_LABEL = 11


class PositionsView(LabView):
    """A view of the three settings, the text, and the next token before and after the change."""

    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "adjust(*, 'shift')", "shift", "Shift all positions."),
        key(
            "w",
            "switch('order')",
            "order",
            "Shuffle the words, or put them in order.",
            id="word order",
        ),
        key("s", "adjust(1, 'seed')", "new seed", "Shuffle the words with a new seed."),
        key("m", "switch('rotary')", "RoPE", "Switch rotary position embedding off or on."),
        key("z", "reset", "reset", "Return to the positions that the model was trained with."),
        key("e", "edit", "edit", "Edit the text."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "reset": lambda state: state.shuffled or state.shift > 0 or not state.rotary,
    }

    FIRST_KEYS = lab_keys("w", "m")

    action_edit = writes(_("A text for the model to continue:"), edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        above = [_settings(state, width), _text(state, width)]
        found = state.result
        if found is None:
            return [*above, reading_line(_("processing"), state.progress, width)]
        heading = [*_numbers(state, width), _changed(state, width)]
        if Room(width, height).low:
            above, heading = above[:1], heading[1:]
        room = height - len(above) - len(heading)
        return [*above, *heading, *next_table(found.rows, width, room)]


def _settings(state: State, width: int) -> Content:
    order = (
        _("shuffled, seed {seed}").format(seed=state.seed) if state.shuffled else _("as written")
    )
    settings = (
        ("RoPE", _("on") if state.rotary else _("off"), not state.rotary),
        (_("first position"), f"{state.shift:,}" if state.rotary else _("none"), state.shift > 0),
        (_("words"), order, state.shuffled),
    )
    names = {_("first position"): _("start")} if width < ROOMY else {}
    parts: list[Cell] = []
    for name, value, changed in settings:
        parts += [
            (f"{names.get(name, name)} ", MUTED),
            (value, f"{ACT} bold" if changed else "bold"),
            "   " if width >= ROOMY else "  ",
        ]
    return Content.assemble(*parts)


def _text(state: State, width: int) -> Content:
    found = state.result
    left_out = (
        _("  {tokens} left out").format(tokens=counted(found.left_out, "token"))
        if found and found.left_out
        else ""
    )
    label = f"{_('text'):<{_LABEL}}" if width >= ROOMY else ""
    room = width - len(label) - len(left_out)
    return Content.assemble(
        (label, MUTED), figures.tail(state.changed, max(8, room)), (left_out, MUTED)
    )


def _numbers(state: State, width: int) -> list[Content]:
    found = state.result
    assert found is not None
    before, after = figures.bits(found.bits_before), figures.bits(found.bits_after)
    name = _("mean surprisal of the tokens") if width >= ROOMY else _("bits per token")
    lines = [
        Content.assemble(
            (f"{name}  ", MUTED),
            (before, MUTED),
            (" → ", MUTED),
            (after, "bold"),
            (_(" bits"), MUTED),
        )
    ]
    if state.shuffled and not state.rotary:
        said = (
            _("the order alone changes the prediction by ") if width >= ROOMY else _("order alone ")
        )
        lines.append(
            Content.assemble(
                (said, MUTED),
                (
                    _("{order_divergence:.3f} bits").format(
                        order_divergence=found.order_divergence
                    ),
                    "bold",
                ),
            )
        )
    return lines


def _changed(state: State, width: int) -> Content:
    found = state.result
    assert found is not None
    said = _("  changed by ") if width >= ROOMY else "  "
    return Content.assemble(
        (_("next token"), "bold"),
        (said, MUTED),
        (_("{divergence:.3f} bits").format(divergence=found.divergence), "bold"),
    )


VIEW = PositionsView
