"""Draws the one-step lab."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import LOW
from tutor.labs.kit.keys import LEFT_RIGHT, UP_DOWN, Keys, key, pair
from tutor.labs.kit.view import LabView, Offered, does, writes
from tutor.labs.one_step import lines as one_step_lines
from tutor.labs.one_step.lab import MANY, MOST_STEPS, STAGES, SkipSteps, Stage, State, Walk
from tutor.text import counted

TITLES: dict[Stage, tuple[str, str]] = {
    "text": ("take some real text", "It is cut into windows, which are the rows of a batch."),
    "hide": ("hide what comes next", "The target of each byte is the byte after it."),
    "ask": ("predict the next byte", "Softmax turns the network's logits into probabilities."),
    "compare": (
        "compare with the target",
        "The loss is −ln of the target's probability. Training lowers the mean.",
    ),
    "backward": ("backpropagate", "Each weight gets a slope. The norm of each tensor's slopes:"),
    "move": (
        "move every weight a little",
        "How Adam moves the weight with the largest slope in this tensor.",
    ),
    "after": ("compute the loss again", "The loss of the same bytes, before and after the step."),
}


class OneStepView(LabView):
    """Shows one stage of one step at a time, with all numbers for the byte or tensor in focus."""

    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "walk(*)", "stage", "Go to the next stage, or back."),
        *pair(UP_DOWN, "move_focus(*, 'item')", "focus", "Choose another byte or tensor."),
        key("r", "skip", f"run {MANY} steps", f"Take {MANY} steps at once."),
        key("z", "reset", "reset", "Start again from the untrained weights."),
        key("e", "edit", "edit", "Edit the text to train on; training starts again."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "skip": lambda state: state.step < MOST_STEPS - 1,
        "reset": lambda state: state.step > 0,
    }

    def action_walk(self, by: int) -> None:
        self.did(Walk(by))

    action_skip = does(SkipSteps)
    action_edit = writes("Text to train on, from untrained weights:", EditText)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        low = height < LOW
        heading = _heading(state, width, low)
        answer = state.shown
        if answer is None:
            return [*heading, Content.styled("Computing the first step …", MUTED)]
        rows = max(3, height - len(heading))
        body = one_step_lines.STAGES[state.at](state, answer, width, rows)
        if low:
            heading, body = ([line for line in each if line.plain] for each in (heading, body))
        # Tables always fit. Sentences and formulas may need a second line.
        return [part for line in (*heading, *body) for part in line.wrap(width)]


def _heading(state: State, width: int, low: bool) -> list[Content]:
    title, says = TITLES[state.at]
    waits = " …" if not state.answered else ""
    left_out = f"The last {counted(state.left_out, 'byte')} are left out." if state.left_out else ""
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
