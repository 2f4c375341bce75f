"""The view of the "A against B" lab."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.labs.difference import lines
from tutor.labs.difference.lab import FindLargest, SwitchOffStrongest
from tutor.labs.difference.state import VIEWS, State
from tutor.labs.difference.strip import strip
from tutor.labs.kit.actions import EditText, MoveFocus
from tutor.labs.kit.columns import Room
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, UP_DOWN, Keys, key, pair, tab
from tutor.labs.kit.sentence import edit_sentence
from tutor.labs.kit.view import LabView, Offered, does
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST_ROWS = 4


def _in(*views: str) -> Callable[[State], bool]:
    return lambda state: state.view in views


class DifferenceView(LabView):
    """A view of A and B, their divergence at each position, and their next-token tables."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[Keys] = [
        key("enter", "switch('part')", "off/on", "Switch this part off or on in B."),
        *tab("next_view(*)", "view", "Choose what is different in B."),
        *pair(LEFT_RIGHT, "step(*)", "token", "Go to the previous or next token."),
        *pair(UP_DOWN, "move_focus(*, 'dial')", "setting", "Choose a sampler setting."),
        *pair(LEFT_RIGHT, "adjust(*, 'dial')", "change", "Lower or raise the setting of B."),
        *pair(
            UP_DOWN, "move_focus(*, 'part')", "part", "Choose a head or the feed-forward network."
        ),
        *pair(LEFT_RIGHT, "move_focus(*, 'layer')", "layer", "Choose a layer."),
        *pair(UP_DOWN, "choose(*, 'precision')", "bits", "Choose the precision of B's weights."),
        *pair(UP_DOWN, "choose(*, 'model')", "model", "Choose the model of B."),
        *pair(P_N, "move_focus(*, 'place')", "other token", "Go to the previous or next token."),
        key(
            "b",
            "strongest",
            "strongest",
            "Switch off the part that matters most here, compared with other tokens.",
        ),
        key("f", "largest", "largest", "Go to the token after which A and B diverge most."),
        key("o", "switch('order')", "order", "Sort the rows by change or by probability."),
        key("e", "edit", "edit", "Edit the question, or B's text, or the text of A and B."),
        key("E", "edit_a", "edit A", "Edit the text of A. Press Shift+e."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "step": _in("prompt", "precision", "model", "tuning"),
        "move_focus:dial": _in("sampler"),
        "adjust": _in("sampler"),
        "move_focus:part": _in("parts"),
        "move_focus:layer": _in("parts"),
        "switch:part": _in("parts"),
        "strongest": _in("parts"),
        "choose:precision": _in("precision"),
        "choose:model": _in("model"),
        "edit_a": _in("prompt"),
    }

    action_strongest = does(SwitchOffStrongest)
    action_largest = does(FindLargest)

    def action_step(self, by: int) -> None:
        self.did(MoveFocus(by, "place"))

    def action_edit(self) -> None:
        if self.state.view == "prompt":
            then = partial(EditText, field="b")
            self.write(
                "b", _("Text of B:"), self.state.b, lambda text: then(edit_sentence(text).text)
            )
        elif self.state.view == "tuning":
            then = partial(EditText, field="asked")
            asked = self.state.asked
            self.write("asked", _("Question:"), asked, lambda text: then(edit_sentence(text).text))
        else:
            self.action_edit_a()

    def action_edit_a(self) -> None:
        label = _("Text of A:") if self.state.view == "prompt" else _("Text of A and B:")
        self.write("a", label, self.state.a.text, edit_sentence)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        low = Room(width, height).low
        above = [lines.views(state, width)]
        if not low:
            above.append(lines.side_a(state, width))
        above.append(lines.side_b(state, width))
        if state.difference is None or state.refused is not None:
            if (state.progress is None and state.others is not None) or state.refused:
                return [*above, *lines.without_b(state, width)]
            return [*above, lines.totals(state, width)]
        room = max(1, (height - len(above) - 3 - _LEAST_ROWS) // 2)
        text = strip(state, width, 1 if low else min(4, room))
        below = [*lines.left_out(state, width), lines.at_focus(state, width)]
        if not low or not state.complete or state.scanning or state.same:
            below.append(lines.totals(state, width))
        if not low:
            above.append(Content(""))
            below = [lines.legend(width), *below, Content("")]
        used = len(above) + len(text) + len(below)
        return [
            *above,
            *text,
            *below,
            *lines.rows(state, width, max(1 if low else 2, height - used)),
        ]


VIEW = DifferenceView
