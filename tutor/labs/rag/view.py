"""Draws the lab of retrieval-augmented generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView
from tutor.labs.rag.lab import (
    Ask,
    Count,
    Example,
    Focus,
    From,
    Go,
    Poison,
    Run,
    See,
    State,
    Switch,
    Turn,
)
from tutor.labs.rag.lines import answer_lines, detail_lines, passage_lines, prompt_line
from tutor.labs.rag.measured_lines import measured_lines
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

_ONLY_IN = {"run": "measure"}
_IN_BOTH = ("part",)
_NARROW = 60
_FALSE = "The password of the guest network is sunflower."


class RagView(LabView):
    """A question with the passages found and the answer; in the other part, what was measured."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "ask", "ask", tooltip="Ask something in your own words."),
        Binding(
            "x",
            "example",
            "next",
            tooltip="The next question of a set: it is known where in the course its answer is.",
        ),
        Binding(
            "k",
            "turn",
            "search",
            tooltip="Search by words, by meaning (the model's vectors), by both merged, or, where "
            "it is installed, by a sentence encoder.",
        ),
        Binding("r", "switch_retrieval", "retrieval", tooltip="Retrieval off, or on again."),
        Binding(
            "left",
            "count(-1)",
            "number",
            key_display="←→",
            tooltip="Fewer or more passages in the prompt.",
        ),
        Binding("right", "count(1)", show=False),
        Binding("p", "poison", "poison", tooltip="Put a false passage in; an empty one ends it."),
        Binding("up", "focus_by(-1)", "look", key_display="↑↓", tooltip="Choose a passage."),
        Binding("down", "focus_by(1)", show=False),
        Binding("enter", "open", "open", tooltip="Open the screen that the passage is from."),
        Binding(
            "d", "detail", "below", tooltip="What stands below: the passage, the prompt, answers."
        ),
        Binding("s", "source", "texts", tooltip="Other texts: those of `tutor rag index`."),
        Binding("enter", "run", "measure, stop", tooltip="Measure; stop; go on."),
        Binding("tab", "part", "ask/measure", tooltip="The other part of the lab."),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if state is None or action in _IN_BOTH:
            return True
        if action in _ACTIONS and _ONLY_IN.get(action, "ask") != state.part:
            return False
        match action:
            case "source":
                return len(state.sources) > 1
            case "count":
                return state.retrieving
            case "open":
                return bool(state.attempt.hits)
        return True

    def action_ask(self) -> None:
        self.write("Your question:", "", Ask)

    def action_example(self) -> None:
        self.did(Example(1))

    def action_switch_retrieval(self) -> None:
        self.did(Switch())

    def action_turn(self) -> None:
        self.did(Turn(1))

    def action_count(self, by: int) -> None:
        self.did(Count(by))

    def action_poison(self) -> None:
        state: State = self.state
        example = _FALSE if "password" in state.attempt.query else ""
        label = "A false passage, to be found with the others (empty: none):"
        self.write(label, state.way.poison or example, Poison)

    def action_focus_by(self, by: int) -> None:
        self.did(Focus(by))

    def action_open(self) -> None:
        state: State = self.state
        hit = (state.attempt.hits or ())[state.focus]
        if hit.false:
            self.tell("You have written this passage: it stands nowhere else.")
        elif state.way.source != "course":
            self.tell(f"It stands in {hit.passage.source}, line {hit.passage.line}.")
        else:
            self.follow(hit.passage.id)

    def action_detail(self) -> None:
        self.did(See())

    def action_source(self) -> None:
        self.did(From(1))

    def action_run(self) -> None:
        self.did(Run())

    def action_part(self) -> None:
        self.did(Go())

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        parts = tabs((name, name == state.part) for name in ("ask", "measure"))
        if state.part == "measure":
            return [parts, *measured_lines(state, width, height - 1)]
        settings = _settings(state, narrow=width < _NARROW)
        room = max(1, width - parts.cell_length - len(settings))
        above = [
            Content.assemble(parts, " " * room, (settings, MUTED)),
            Content.styled(figures.fit(safe(state.attempt.query), width), "bold"),
        ]
        answer = answer_lines(state, width, most=2 if height < 12 else 4)
        low = height < 12
        rows = max(2, height - len(above) - len(answer) - 1) if low else 5
        found = passage_lines(state, width, rows)
        lines = [*above, *found]
        if not low:
            lines.append(prompt_line(state, width))
        lines += answer
        return [*lines, Content(""), *detail_lines(state, width)]


_ACTIONS = frozenset(
    name.removeprefix("action_") for name in vars(RagView) if name.startswith("action_")
)


def _settings(state: State, *, narrow: bool) -> str:
    if not state.retrieving:
        return "no retrieval" if narrow else "retrieval off"
    kind = f"by {state.way.kind}"
    poison = " · poisoned" if state.way.poison else ""
    if narrow:
        return f"{kind}, {state.count}{poison}"
    return f"{state.way.source} · {kind} · {counted(state.count, 'passage')}{poison}"


VIEW = RagView
