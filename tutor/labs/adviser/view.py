"""The keys of the adviser; `adviser_lines` says what each view looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tutor.app.widgets.lines import Lines
from tutor.labs.adviser import lines as adviser_lines
from tutor.labs.adviser.lab import (
    VIEWS,
    Choose,
    Clear,
    Keep,
    Look,
    Move,
    Must,
    NextKind,
    Pick,
    See,
    Turn,
    refusal,
)
from tutor.labs.kit.view import LabView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.content import Content

    from tutor.labs.adviser.lab import State, View

ONLY_IN: dict[str, tuple[View, ...]] = {
    "need": ("needs",),
    "turn": ("needs",),
    "must": ("needs",),
    "kind": ("needs",),
    "clear": ("needs",),
    "read": ("reasons",),
    "other": ("reasons",),
    "option": ("cases",),
    "case": ("cases",),
    "pick": ("cases",),
}
"""The views in which an action means something; the others mean something in all."""


class AdviserView(LabView):
    """The needs with the ranking, the reasons of one option, and the cases."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "see(1)", "next view", tooltip="Needs, reasons, cases."),
        Binding("shift+tab", "see(-1)", show=False),
        Binding("up", "need(-1)", "need", key_display="↑↓", tooltip="Choose a need."),
        Binding("down", "need(1)", show=False),
        Binding("left", "turn(-1)", "weight", key_display="←→", tooltip="How much it weighs."),
        Binding("right", "turn(1)", show=False),
        Binding("m", "must", "must", tooltip="Make the need a condition, or a wish again."),
        Binding("k", "kind", "kind", tooltip="The next kind of this need."),
        Binding("o", "clear", "all off", tooltip="All weights to 0, and no musts."),
        Binding(
            "left", "other(-1)", "option", key_display="←→", tooltip="The next in the ranking."
        ),
        Binding("right", "other(1)", show=False),
        Binding("up", "read(-1)", "read on", key_display="↑↓", tooltip="Move the text."),
        Binding("down", "read(1)", show=False),
        Binding("up", "option(-1)", "option", key_display="↑↓", tooltip="Choose an option."),
        Binding("down", "option(1)", show=False),
        Binding("enter", "pick", "pick", tooltip="This option is what you would defend."),
        Binding("left", "case(-1)", "case", key_display="←→", tooltip="Another case, or your own."),
        Binding("right", "case(1)", show=False),
        Binding("s", "keep", "save", tooltip="Write the result into a file, as Markdown."),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if state is None or state.advice is None:
            return False if action in (*ONLY_IN, "see", "keep") else None
        if action == "kind":
            return state.view == "needs" and len(state.advice.needs[state.need].kinds) > 1
        return state.view in ONLY_IN.get(action, VIEWS)

    def action_see(self, by: int) -> None:
        self.scroll_home(animate=False)
        self.did(See(VIEWS[(VIEWS.index(self.state.view) + by) % len(VIEWS)]))

    def action_need(self, by: int) -> None:
        self.did(Choose(by))

    def action_turn(self, by: int) -> None:
        self.did(Turn(by))

    def action_must(self) -> None:
        self.did(Must())

    def action_kind(self) -> None:
        self.did(NextKind())

    def action_clear(self) -> None:
        self.did(Clear())

    def action_other(self, by: int) -> None:
        self.scroll_home(animate=False)
        self.did(Look(by))

    def action_read(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False)

    # On a low screen a case is longer than there is room for: what a key is about comes into view.

    def action_option(self, by: int) -> None:
        before = self.state.option
        self.did(Look(by))
        if self.state.option == before and by < 0:
            self.scroll_home(animate=False)
            return
        drawn = self.query_one("#lines", Lines).plain
        row = next((y for y, line in enumerate(drawn) if y and line.startswith("›")), 0)
        self.scroll_to(y=max(0, row - self.size.height // 2), animate=False)

    def action_pick(self) -> None:
        if (refused := refusal(self.state)) is not None:
            self.tell(f"{refused.happened} {refused.next_step}")
            return
        self.did(Pick())
        self.call_after_refresh(self.scroll_end, animate=False)

    def action_case(self, by: int) -> None:
        self.scroll_home(animate=False)
        self.did(Move(by))

    def action_keep(self) -> None:
        self.did(Keep())

    def draw(self, state: State) -> None:
        super().draw(state)
        if state.saved is not None:
            self.call_after_refresh(self.scroll_end, animate=False)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        return adviser_lines.lines(state, width, height)


VIEW = AdviserView
