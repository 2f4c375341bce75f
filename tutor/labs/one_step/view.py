"""The view of the "One training step, slowly" lab."""

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
from tutor.language import _
from tutor.text import counted

TITLES: dict[Stage, tuple[str, str]] = {
    "text": (_("take some real text"), _("The text is split into windows, the rows of a batch.")),
    "hide": (
        _("hide the next byte"),
        _("The target at each position is the next byte in the text."),
    ),
    "ask": (
        _("predict the next byte"),
        _("Softmax turns the network's logits into probabilities."),
    ),
    "compare": (
        _("compare with the target"),
        _("The loss is −ln of the target's probability. Training lowers the mean loss."),
    ),
    "backward": (
        _("backpropagate"),
        _("Backpropagation finds each weight's slope. Gradient norm per tensor:"),
    ),
    "move": (
        _("update every weight a little"),
        _("Adam's update of the weight with the largest slope in this tensor:"),
    ),
    "after": (
        _("compute the loss again"),
        _("The loss of the same bytes before and after the step."),
    ),
}


class OneStepView(LabView):
    """A view of one stage of a training step, with all numbers for the selected byte or tensor."""

    BINDINGS: ClassVar[Keys] = [
        *pair(LEFT_RIGHT, "walk(*)", "stage", "Go to the next or previous stage."),
        *pair(UP_DOWN, "move_focus(*, 'item')", "focus", "Choose another byte or tensor."),
        key(
            "r",
            "skip",
            _("run {many} steps").format(many=MANY),
            _("Run {many} training steps.").format(many=MANY),
        ),
        key("z", "reset", "reset", "Restart from the untrained weights."),
        key("e", "edit", "edit", "Edit the training text and restart."),
    ]
    OFFERED: ClassVar[Offered[State]] = {
        "skip": lambda state: state.answered and state.step < MOST_STEPS - 1,
        "reset": lambda state: state.step > 0,
    }

    def action_walk(self, by: int) -> None:
        self.did(Walk(by))

    action_skip = does(SkipSteps)
    action_edit = writes(_("Training text (restarts training):"), EditText)

    def lines(self, state: State, width: int, height: int) -> list[Content]:
        low = height < LOW
        heading = _heading(state, width, low)
        answer = state.shown
        if answer is None:
            return [*heading, Content.styled(_("Computing the first step…"), MUTED)]
        rows = max(3, height - len(heading))
        body = one_step_lines.STAGES[state.at](state, answer, width, rows)
        if low:
            heading, body = ([line for line in each if line.plain] for each in (heading, body))
        # Tables are fitted to the width. Sentences and formulas may need a second line.
        return [part for line in (*heading, *body) for part in line.wrap(width)]


def _heading(state: State, width: int, low: bool) -> list[Content]:
    title, says = TITLES[state.at]
    waits = " …" if not state.answered else ""
    left_out = (
        _("Not used: the last {bytes}.").format(bytes=counted(state.left_out, "byte"))
        if state.left_out
        else ""
    )
    if low:
        place = f"{state.step + 1}.{state.stage + 1}{waits}  "
        return [Content.assemble((place, MUTED), (title, "bold")), Content.styled(left_out, MUTED)]
    stages = "●" * (state.stage + 1) + "○" * (len(STAGES) - state.stage - 1)
    lines = [
        Content.assemble(
            (
                _("step {step} of {most_steps}{waits}  ").format(
                    step=state.step + 1, most_steps=MOST_STEPS, waits=waits
                ),
                MUTED,
            ),
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
