"""The view of the "Prompts, measured" lab."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from tutor.labs.kit import remote
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import LOW, WIDE, beside
from tutor.labs.kit.keys import LEFT_RIGHT, P_N, UP_DOWN, key, pair, run_and_stop, tab
from tutor.labs.kit.prompts.version import PARTS, WRITTEN, Part, choices
from tutor.labs.kit.remote import Remove
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.prompting import lines as drawn
from tutor.labs.prompting.item_lines import items
from tutor.labs.prompting.lab import VIEWS, Copy, Recall, State
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType
    from textual.content import Content


_LEFT = 80
"""The width of the table of parts, in columns, if the items are shown to its right."""


class PromptingView(LabView):
    """A view of the prompt's parts, the items, the exact prompt, or the scored versions."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[list[BindingType]] = [
        *run_and_stop("r,enter", "run", _("Score both versions on all items.")),
        *pair(UP_DOWN, "move_focus(*, 'row')", "row", "Choose another part, item or version."),
        *pair(LEFT_RIGHT, "adjust(*, 'focus')", "change", "Change the value of this part."),
        key("e", "edit", "edit", "Edit the text of this part, or the instruction."),
        key("b", "switch('side')", "A or B", "Switch between version A and B."),
        key(
            "c",
            "copy",
            "copy version",
            "Replace this version with a copy of the other one.",
            id="copy",
        ),
        *tab("next_view(*)", "view", "Show the parts, items, prompt or versions."),
        *pair(P_N, "choose(*, 'task')", "task", "Go to another task."),
        key("l", "recall", "load", "Replace version A or B with this one."),
        key("a", "add", "add", "Add a remote model by its name and address."),
        key("d", "remove", "remove", "Remove the remote model and use the local one."),
    ]

    OFFERED: ClassVar[Offered[State]] = {
        "run": lambda state: not state.complete,
        "adjust": lambda state: state.view == "parts",
        "recall": lambda state: state.view == "versions" and bool(state.scored),
        "remove": lambda state: state.server is not None,
    }

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "add" and not self.host.allowed.other_servers:
            return False
        return super().check_action(action, parameters)

    def action_add(self) -> None:
        self.write(remote.NAME, remote.LABEL, "", remote.named, sample=remote.EXAMPLE)

    action_remove = does(Remove)
    action_copy = does(Copy)

    def action_next_view(self, by: int = 1) -> None:
        super().action_next_view(by)
        self.scroll_home(animate=False)

    action_recall = does(Recall)

    def action_edit(self) -> None:
        here = PARTS[self.state.part]
        part: Part = here if here in WRITTEN else "instruction"
        label = _("{value}'s {names} (can be empty):").format(
            names=drawn.NAMES[part], value="AB"[self.state.side]
        )
        sample = next((each for each in choices(self.state.about, part) if each), "")
        then = partial(EditText, field=part)
        name = f"{part} {self.state.side}"
        self.write(name, label, getattr(self.state.version, part), then, sample=str(sample))

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        wide = width >= WIDE and state.view != "versions"
        left = _LEFT - 4 if wide else width
        low = height < LOW
        top = [] if low and state.view in ("parts", "items") else [drawn.heading(state, width)]
        below = drawn.scores(state, width, low=low)
        room = height - len(top) - len(below)
        if state.view == "versions":
            return [*top, *drawn.versions(state, width, height - 1)]
        if state.view == "prompt":
            body = drawn.prompt(state, left, room if wide else height - 1)
            if not wide:
                return [*top, *body]
        elif state.view == "items" and not wide:
            body = items(state, width, room)
        else:
            body = drawn.parts(state, left, room)
        if wide:
            return [*top, *beside(body, items(state, width - _LEFT, room), _LEFT), *below]
        return [*top, *body, *below]


VIEW = PromptingView
