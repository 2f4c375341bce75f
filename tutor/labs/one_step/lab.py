"""A lab that shows every number in a training step, from the text to the updated weights."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import EditText, MoveFocus, Reset, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import work

LONGEST = 129
"""The maximum length of the text, in bytes: eight windows of 16 bytes, and one more byte as the
last target."""
MOST_STEPS = 100
"""The maximum number of steps. It is small because a restarted engine must repeat all steps."""
START = "The sun rises in the east and sets in the west."
MANY = 10
"""The number of training steps that `SkipSteps` runs."""

Stage = Literal["text", "hide", "ask", "compare", "backward", "move", "after"]
STAGES: tuple[Stage, ...] = ("text", "hide", "ask", "compare", "backward", "move", "after")
ON_WEIGHTS: tuple[Stage, ...] = ("backward", "move")
"""The stages that show tensors. The other stages show positions in the text."""


class Walk(msgspec.Struct, frozen=True, tag_field="do", tag="walk"):
    """Move `by` stages forward, or backward if negative.

    The last stage of a step is followed by the first stage of the next step.
    """

    by: int


class SkipSteps(msgspec.Struct, frozen=True, tag_field="do", tag="skip"):
    """Run `MANY` training steps."""


Action = EditText | Walk | MoveFocus[Literal["item"]] | SkipSteps | Reset
"""`MoveFocus` selects another tensor in the stages `ON_WEIGHTS`, and another position in the text
in all other stages."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the numbers of one training step on this text.

    Steps are counted from 0.
    """

    text: str
    step: int


class Guess(msgspec.Struct, frozen=True, array_like=True):
    """A possible next byte, with its logit and its probability."""

    byte: int
    logit: float
    probability: float


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A byte of the text, and the prediction of the next byte.

    Attributes:
        target: The actual next byte, with its logit and its probability before the training step.
        loss: The loss before the training step, in nats.
        after: The loss after the training step, in nats.
        best: The most probable next bytes before the training step.
    """

    byte: int
    target: Guess
    loss: float
    after: float
    best: tuple[Guess, ...]


class Weights(msgspec.Struct, frozen=True, array_like=True):
    """A tensor of the network, and the update of its weight with the largest gradient.

    Attributes:
        name: The tensor's name in the network.
        norm: The norm of the tensor's gradient.
        place: The index of the weight in the tensor.
        after: The weight after PyTorch's optimizer has made the step.

    The other fields are described in `tutor.labs.one_step.adam.Move`.
    """

    name: str
    shape: tuple[int, ...]
    norm: float
    place: tuple[int, ...]
    weight: float
    gradient: float
    mean_before: float
    square_before: float
    mean: float
    square: float
    corrected_mean: float
    corrected_square: float
    change: float
    after: float


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The numbers of one training step.

    Attributes:
        windows: The positions in each row of the batch.
        weights: The tensors of the network.
        history: The mean loss before each step up to and including this step, followed by the mean
            loss after this step.
    """

    windows: tuple[tuple[Position, ...], ...]
    weights: tuple[Weights, ...]
    history: tuple[float, ...]

    @property
    def positions(self) -> tuple[Position, ...]:
        return tuple(position for window in self.windows for position in window)

    @property
    def loss(self) -> float:
        return self.history[-2]

    @property
    def loss_after(self) -> float:
        return self.history[-1]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        own: True if the learner wrote the text.
        left_out: The number of bytes that were cut from the text.
        step: The current step, counted from 0.
        stage: The index of the current stage in `STAGES`.
        position: The selected position in the text.
        tensor: The index of the selected tensor.
        shown: The numbers on the screen, from step `shown_step`. They stay until the numbers of the
            current step arrive.
        looked: The indexes of the tensors that the learner has viewed in the "move" stage of the
            first step.
    """

    text: str = START
    own: bool = False
    left_out: int = 0
    step: int = 0
    stage: int = 0
    position: int = 4
    tensor: int = 0
    shown: Answer | None = None
    shown_step: int = -1
    looked: frozenset[int] = frozenset()

    @property
    def at(self) -> Stage:
        return STAGES[self.stage]

    @property
    def answered(self) -> bool:
        return self.shown is not None and self.shown_step == self.step


def act(state: State, action: Action) -> State:
    """Return the state after an action.

    Raises `LabError` if the text has fewer than two bytes.
    """
    match action:
        case EditText(text=text):
            return _on(text)
        case Walk(by=by):
            return _looked(_walked(state, by))
        case MoveFocus(by=by):
            return _looked(_focused(state, by))
        case SkipSteps():
            return replace(state, step=min(state.step + MANY, MOST_STEPS - 1))
        case Reset():
            return _reset(state)


def question(state: State) -> Question | None:
    return None if state.answered else Question(state.text, state.step)


def receive(state: State, question: Question, answer: Answer) -> State:
    if question.text != state.text:
        return state
    tensors = len(answer.weights)
    new = replace(
        state,
        shown=answer,
        shown_step=question.step,
        position=moved(state.position, 0, len(answer.positions)),
        tensor=moved(state.tensor, 0, tensors),
        looked=frozenset(each for each in state.looked if 0 <= each < tensors),
    )
    return _looked(new)


def _reset(state: State) -> State:
    return replace(state, step=0, stage=0, shown=None, shown_step=-1, looked=frozenset())


def _on(text: str) -> State:
    data = text.encode("utf-8", "replace")
    kept = data[:LONGEST].decode("utf-8", "ignore")
    if len(kept.encode()) < 2:
        raise LabError("The text is too short to predict anything.", "Write at least two letters.")
    return State(text=kept, own=kept != START, left_out=len(data) - len(kept.encode()), position=0)


def _walked(state: State, by: int) -> State:
    """Return the state `by` stages later, or earlier if `by` is negative.

    That stage can be in another step. If it is before the first step or after the last one, the
    state doesn't change.
    """
    step, stage = divmod(state.step * len(STAGES) + state.stage + by, len(STAGES))
    if not 0 <= step < MOST_STEPS:
        return state
    return replace(state, step=step, stage=stage)


def _focused(state: State, by: int) -> State:
    if state.shown is None:
        return state
    if state.at in ON_WEIGHTS:
        tensor = moved(state.tensor, by, len(state.shown.weights))
        return replace(state, tensor=tensor)
    position = moved(state.position, by, len(state.shown.positions))
    return replace(state, position=position)


def _looked(state: State) -> State:
    """Record that the learner has viewed the tensor, if this is the first step's "move" stage."""
    if state.step == 0 and state.at == "move" and state.answered:
        return replace(state, looked=state.looked | {state.tensor})
    return state


@goal("same-move", "In step 1, find two weights with equal changes but slopes 10 times apart")
def _same_move(state: State) -> bool:
    """Return True if the learner has viewed two weights whose gradients differ at least tenfold.

    The weights show that Adam's first step changes every weight by the same amount, the learning
    rate, however large its gradient is.
    """
    if state.step or state.shown is None or not state.answered:
        return False
    slopes = [abs(state.shown.weights[place].gradient) for place in state.looked]
    return bool(slopes) and max(slopes) >= 10 * min(slopes)


@goal("worse", "Find a byte whose loss rose although the mean loss fell")
def _worse(state: State) -> bool:
    if state.shown is None or not state.answered or state.at != "after":
        return False
    there = state.shown.positions[state.position]
    return there.after > there.loss and state.shown.loss_after < state.shown.loss


@goal("by-heart", "Train on a sentence of your own until the loss is below 0.1")
def _by_heart(state: State) -> bool:
    return state.own and state.answered and state.shown is not None and state.shown.loss_after < 0.1


_NEXT = MoveFocus[Literal["item"]](1, "item")

LAB: Lab[State, Action, Question, Answer] = Lab(
    name="one-step",
    title="One training step, slowly",
    about="Follow the numbers of one real training step",
    order=150,
    lesson="learning",
    task=(
        "Go through one training step with the arrow keys. All numbers come from a real "
        "network that is trained while you watch."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work(
        *("left_out", "position", "tensor", "looked"),
        text=lambda text: _on(text).text,
        step=MOST_STEPS,
        stage=len(STAGES),
        mend=lambda state: replace(state, own=state.text != START),
    ),
    reset_settings=lambda state: _reset(state) if state.step or state.stage else None,
    goals=(_same_move, _worse, _by_heart),
    solution=(
        Walk(STAGES.index("move")),
        MoveFocus(1, "item"),
        Walk(1),
        SkipSteps(),
        SkipSteps(),
        MoveFocus(-4, "item"),
        *[_NEXT] * len(START),
        EditText("I like tea."),
        *(SkipSteps() for _ in range(5)),
    ),
)
