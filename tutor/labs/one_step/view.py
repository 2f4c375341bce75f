"""Draws one step of training."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import LOW
from tutor.labs.kit.keys import DOWN_UP, RIGHT_LEFT, Keys, key, pair
from tutor.labs.kit.view import LabView, Offered, does, writes
from tutor.labs.one_step import lines as one_step_lines
from tutor.labs.one_step.lab import MANY, MOST_STEPS, STAGES, SkipSteps, Stage, State, Walk
from tutor.text import counted

TITLES: dict[Stage, tuple[str, str]] = {
    "text": ("take a piece of real text", "Cut into windows: the rows of a batch, all at once."),
    "hide": ("hide what comes next", "The target of each byte is the one after it."),
    "ask": ("ask: what comes next?", "The network scores all 256 bytes; softmax makes shares."),
    "compare": (
        "compare with what came",
        "Each byte costs −ln of the share it got; the mean is lowered.",
    ),
    "backward": ("backpropagate", "A slope for every weight; how long each tensor's gradient is."),
    "move": (
        "move every weight a little",
        "Adam, for the weight with the largest slope in the tensor.",
    ),
    "after": ("the loss after", "The same bytes again: what each cost before, and costs now."),
}


class OneStepView(LabView):
    """One stage of one step at a time, with all of its numbers for what is in focus."""

    BINDINGS: ClassVar[Keys] = [
        *pair(RIGHT_LEFT, "walk(*)", "stage", "Walk through the step."),
        *pair(DOWN_UP, "move_focus(*, 'item')", "look at", "Another byte or tensor."),
        key("n", "skip", f"{MANY} steps", f"Take {MANY} steps at once."),
        key("b", "reset", "begin again", "New weights, from the first step."),
        key("e", "edit", "write", "Train on a sentence of your own."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "skip": lambda state: state.step < MOST_STEPS - 1,
        "reset": lambda state: state.step > 0,
    }

    def action_walk(self, by: int) -> None:
        self.did(Walk(by))

    action_skip = does(SkipSteps)
    action_edit = writes("A sentence to train on, from new weights:", EditText)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        low = height < LOW
        heading = _heading(state, width, low)
        answer = state.shown
        if answer is None:
            return [*heading, Content.styled("the first step is being taken", MUTED)]
        rows = max(3, height - len(heading))
        body = one_step_lines.STAGES[state.at](state, answer, width, rows)
        if low:
            heading, body = ([line for line in each if line.plain] for each in (heading, body))
        # tables fit; sentences and formulas go on in a second line
        return [part for line in (*heading, *body) for part in line.wrap(width)]


def _heading(state: State, width: int, low: bool) -> list[Content]:
    title, says = TITLES[state.at]
    waits = " …" if not state.answered else ""
    left_out = f"{counted(state.left_out, 'byte')} more are left out." if state.left_out else ""
    if low:
        place = f"{state.step + 1}.{state.stage + 1}{waits}  "
        return [Content.assemble((place, MUTED), (title, "bold")), Content.styled(left_out, MUTED)]
    stages = "●" * (state.stage + 1) + "○" * (len(STAGES) - state.stage - 1)
    lines = [
        Content.assemble(
            (f"step {state.step + 1} of {MOST_STEPS}{waits}  ", MUTED),
            (stages, ACT),
            "  ",
            (title, "bold"),
        ),
        Content.styled(says, MUTED),
    ]
    if left_out:
        lines.append(Content.styled(left_out, MUTED))
    return [*(part for line in lines for part in line.wrap(width)), Content("")]


VIEW = OneStepView
