"""Draws the lab of retrieval-augmented generation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import Room
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, key, pair
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered
from tutor.labs.rag.lab import VIEWS, State
from tutor.labs.rag.lines import answer_lines, detail_lines, passage_lines, prompt_line
from tutor.labs.rag.measured_lines import measured_lines
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

_FALSE = "The password of the guest network is sunflower."


def _asking(state: State) -> bool:
    return state.part == "ask"


class RagView(LabView):
    """A question with the passages found and the answer; in the other part, what was measured."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[list[BindingType]] = [
        key("e", "ask", "ask", "Ask something in your own words."),
        key(
            "x",
            "choose(1, 'example')",
            "next",
            "The next question of a set: it is known where in the course its answer is.",
        ),
        key(
            "k",
            "choose(1, 'way')",
            "search",
            "Search by words, by meaning (the model's vectors), by both merged, or, where "
            "it is installed, by a sentence encoder.",
        ),
        key("r", "switch('retrieval')", "retrieval", "Retrieval off, or on again."),
        *pair(
            LEFT_RIGHT, "adjust(*, 'passages')", "number", "Fewer or more passages in the prompt."
        ),
        key("p", "poison", "poison", "Put a false passage in; an empty one ends it."),
        *pair(UP_DOWN, "move_focus(*, 'passage')", "look", "Choose a passage."),
        key("enter", "open", "open", "Open the screen that the passage is from."),
        key("d", "next_view", "below", "What stands below: the passage, the prompt, answers."),
        key("s", "choose(1, 'texts')", "texts", "Other texts: those of `tutor rag index`."),
        key("enter", "run", "measure, stop", "Measure; stop; go on."),
        key("tab", "switch('part')", "ask/measure", "The other part of the lab."),
    ]

    OFFERED: ClassVar[Offered[State]] = {
        **dict.fromkeys(("ask", "choose", "poison", "move_focus", "next_view"), _asking),
        "run": lambda state: state.part == "measure",
        "choose:texts": lambda state: state.part == "ask" and len(state.sources) > 1,
        "switch:retrieval": _asking,
        "adjust": lambda state: state.part == "ask" and state.retrieving,
        "open": lambda state: state.part == "ask" and bool(state.attempt.hits),
    }

    def action_ask(self) -> None:
        self.write("Your question:", "", EditText)

    def action_poison(self) -> None:
        state: State = self.state
        example = _FALSE if "password" in state.attempt.query else ""
        label = "A false passage, to be found with the others (empty: none):"
        self.write(label, state.way.poison or example, partial(EditText, field="poison"))

    def action_open(self) -> None:
        state: State = self.state
        hit = (state.attempt.hits or ())[state.focus]
        if hit.false:
            self.host.tell("You have written this passage: it stands nowhere else.")
        elif state.way.source != "course":
            self.host.tell(f"It stands in {hit.passage.source}, line {hit.passage.line}.")
        else:
            self.host.follow(hit.passage.id)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        parts = tabs((name, name == state.part) for name in ("ask", "measure"))
        if state.part == "measure":
            return [parts, *measured_lines(state, width, height - 1)]
        room = Room(width, height)
        settings = _settings(state, narrow=not room.roomy)
        gap = max(1, width - parts.cell_length - len(settings))
        above = [
            Content.assemble(parts, " " * gap, (settings, MUTED)),
            Content.styled(figures.fit(safe(state.attempt.query), width), "bold"),
        ]
        answer = answer_lines(state, width, most=2 if room.low else 4)
        rows = max(2, height - len(above) - len(answer) - 1) if room.low else 5
        found = passage_lines(state, width, rows)
        lines = [*above, *found]
        if not room.low:
            lines.append(prompt_line(state, width))
        lines += answer
        return [*lines, Content(""), *detail_lines(state, width)]


def _settings(state: State, *, narrow: bool) -> str:
    if not state.retrieving:
        return "no retrieval" if narrow else "retrieval off"
    kind = f"by {state.way.kind}"
    poison = " · poisoned" if state.way.poison else ""
    if narrow:
        return f"{kind}, {state.count}{poison}"
    return f"{state.way.source} · {kind} · {counted(state.count, 'passage')}{poison}"


VIEW = RagView
