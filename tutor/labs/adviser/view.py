"""The adviser lab's widget and its key bindings. The text comes from the module `lines`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from tutor.app.widgets.lines import Lines
from tutor.labs.adviser import lines as adviser_lines
from tutor.labs.adviser.lab import VIEWS, PickOption, SaveResult, refusal
from tutor.labs.kit.actions import Choose, MoveFocus
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, key, pair, tab
from tutor.labs.kit.view import LabView, does
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType
    from textual.content import Content

    from tutor.labs.adviser.lab import State, View

_ACTIONS: dict[View, str] = {
    "needs": _("move_focus adjust switch choose reset"),
    "reasons": _("read other"),
    "cases": _("option case pick"),
}
ONLY_IN = {action: view for view, names in _ACTIONS.items() for action in names.split()}
"""Maps each action that is available in only one view to the name of that view."""


class AdviserView(LabView):
    """The adviser's widget. It shows the learner's needs, one option's rating, or a case to solve.

    Next to the needs, it shows the ranking of the options. With an option's rating, it shows the
    reasons for this rating.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *tab("next_view(*)", "view", "Show the needs, the reasons or the cases."),
        *pair(UP_DOWN, "move_focus(*, 'need')", "need", "Go to another need."),
        *pair(
            LEFT_RIGHT, "adjust(*, 'weight')", "weight", "Change the weight of the selected need."
        ),
        key("m", "switch('must')", "must", "Mark the selected need as a must, or remove the mark."),
        key("k", "choose(1, 'kind')", "kind", "Choose the next kind of this need."),
        key("z", "reset", "reset", "Reset all weights to 0 and switch off all musts."),
        *pair(LEFT_RIGHT, "other(*)", "option", "Go to another option in the ranking."),
        *pair(UP_DOWN, "read(*)", "scroll", "Scroll the text."),
        *pair(UP_DOWN, "option(*)", "option", "Go to another option."),
        key("enter", "pick", "pick", "Pick the option that you would defend."),
        *pair(LEFT_RIGHT, "case(*)", "case", "Go to another case, or to your own task."),
        key("ctrl+s", "save", "save", "Save the result as a Markdown file."),
        Binding("s", "save", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if state is None or state.advice is None:
            return False if action in (*ONLY_IN, "next_view", "save") else None
        if action == "choose" and len(state.advice.needs[state.need].kinds) == 1:
            return False
        return state.view == ONLY_IN.get(action, state.view)

    VIEWS = VIEWS

    def action_next_view(self, by: int = 1) -> None:
        self.scroll_home(animate=False)
        super().action_next_view(by)

    def action_other(self, by: int) -> None:
        self.scroll_home(animate=False)
        self.did(MoveFocus(by, "option"))

    def action_read(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False)

    # On a short screen, a case doesn't fit into the view. So each of the following actions also
    # scrolls to the part of the view that it changes.

    def action_option(self, by: int) -> None:
        before = self.state.option
        self.did(MoveFocus(by, "option"))
        if self.state.option == before and by < 0:
            self.scroll_home(animate=False)
            return
        drawn = self.query_one("#lines", Lines).plain
        row = next((y for y, line in enumerate(drawn) if y and line.startswith("›")), 0)
        self.scroll_to(y=max(0, row - self.size.height // 2), animate=False)

    def action_pick(self) -> None:
        if (refused := refusal(self.state)) is not None:
            self.host.tell(f"{refused.happened} {refused.next_step}")
            return
        self.did(PickOption())
        self.call_after_refresh(self.scroll_end, animate=False)

    def action_case(self, by: int) -> None:
        self.scroll_home(animate=False)
        self.did(Choose(by, "case"))

    action_save = does(SaveResult)

    def draw(self, state: State) -> None:
        super().draw(state)
        if state.saved is not None:
            self.call_after_refresh(self.scroll_end, animate=False)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        return adviser_lines.lines(state, width, height)


VIEW = AdviserView
