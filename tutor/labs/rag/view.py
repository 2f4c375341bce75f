"""The view of the "Ask about this course" lab."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.labs.kit.actions import EditText, Run
from tutor.labs.kit.columns import Room
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, key, pair, run_and_stop, tab
from tutor.labs.kit.tabs import tabs
from tutor.labs.kit.view import LabView, Offered, does
from tutor.labs.rag.lab import VIEWS, State, examples
from tutor.labs.rag.lines import METHODS, answer_lines, detail_lines, passage_lines, prompt_line
from tutor.labs.rag.measured_lines import measured_lines
from tutor.labs.rag.quality import finished
from tutor.language import _
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

_FALSE = "The password of the guest network is sunflower."


def _asking(state: State) -> bool:
    return state.part == "ask"


class RagView(LabView):
    """A view of the current question with its passages and its answer, or of the measurement."""

    VIEWS = VIEWS
    BINDINGS: ClassVar[list[BindingType]] = [
        key("e", "ask", "edit", "Write a question of your own."),
        key("x", "choose(1, 'example')", "example", "Ask the next question of a prepared set."),
        key(
            "k",
            "choose(1, 'way')",
            "method",
            "Use keyword search, semantic search (with the model's vectors), both merged, or a "
            "sentence encoder if one is installed.",
        ),
        key("t", "switch('retrieval')", "retrieval", "Switch retrieval off or on."),
        *pair(
            LEFT_RIGHT,
            "adjust(*, 'passages')",
            "number",
            "Put fewer or more passages into the prompt.",
        ),
        key("p", "poison", "poison", "Add a false passage to the index, or remove it."),
        *pair(UP_DOWN, "move_focus(*, 'passage')", "passage", "Go to another passage."),
        *run_and_stop("r,enter", "run", _("Measure every search method.")),
        key("r", "run_again", "run again", "Discard the scores and run again.", id="run"),
        key("enter", "open", "source", "Open the screen that the passage is from."),
        key("d", "next_view", "details", "Show the passage, the prompt or earlier answers below."),
        key(
            "o",
            "choose(1, 'texts')",
            "open",
            "Search texts that you indexed with `tutor rag index`.",
        ),
        *tab("switch('part')", "view", "Switch between asking and measuring."),
    ]

    OFFERED: ClassVar[Offered[State]] = {
        **dict.fromkeys(("choose", "poison", "move_focus", "next_view"), _asking),
        "run": lambda state: state.part == "measure" and not finished(state.quality),
        "run_again": lambda state: state.part == "measure" and finished(state.quality),
        "choose:texts": lambda state: state.part == "ask" and len(state.sources) > 1,
        "switch:retrieval": _asking,
        "adjust": lambda state: state.part == "ask" and state.retrieving,
        "open": lambda state: state.part == "ask" and bool(state.attempt.hits),
    }

    def runs(self, state: State) -> bool:
        return state.quality.running

    action_run_again = does(Run)

    def action_ask(self) -> None:
        state: State = self.state
        text = state.attempt.query if state.is_own else ""
        self.write("question", _("Your question:"), text, EditText, sample=examples()[0].ask)

    def action_poison(self) -> None:
        state: State = self.state
        example = _FALSE if "password" in state.attempt.query else ""
        label = _("A false passage for the index (leave empty to remove it):")
        then = partial(EditText, field="poison")
        self.write("poison", label, state.way.poison, then, sample=example)

    def action_open(self) -> None:
        state: State = self.state
        hit = (state.attempt.hits or ())[state.focus]
        if hit.false:
            self.host.tell(_("You wrote this passage, so it has no source to open."))
        elif state.way.source != "course":
            self.host.tell(
                _("This passage is in {source}, line {line}.").format(
                    source=hit.passage.source, line=hit.passage.line
                )
            )
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
        return _("no retrieval") if narrow else _("retrieval off")
    kind = METHODS[state.way.kind]
    poison = " · poisoned" if state.way.poison else ""
    if narrow:
        return f"{kind}, {state.count}{poison}"
    return f"{state.way.source} · {kind} · {counted(state.count, 'passage')}{poison}"


VIEW = RagView
