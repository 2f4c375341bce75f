"""The one-step lab: everything that happens between a text and slightly better weights."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import EditText, MoveFocus, Reset, moved
from tutor.labs.kit.lab import Lab, goal

LONGEST = 129
"""Maximum bytes of text: eight windows of 16, and the last byte as a target."""
MOST_STEPS = 100
"""Maximum steps. This many are quickly repeated after the engine restarts."""
START = "The sun rises in the east and sets in the west."
MANY = 10
"""Steps that one key takes at once."""

Stage = Literal["text", "hide", "ask", "compare", "backward", "move", "after"]
STAGES: tuple[Stage, ...] = ("text", "hide", "ask", "compare", "backward", "move", "after")
ON_WEIGHTS: tuple[Stage, ...] = ("backward", "move")
"""Stages that show weights; the others show positions of the text."""


class Walk(msgspec.Struct, frozen=True, tag_field="do", tag="walk"):
    """Move `by` stages forward, or back if negative.

    The last stage is followed by the first stage of the next step.
    """

    by: int


class SkipSteps(msgspec.Struct, frozen=True, tag_field="do", tag="skip"):
    """Take `MANY` steps at once."""


Action = EditText | Walk | MoveFocus[Literal["item"]] | SkipSteps | Reset
"""An item is a position of the text, or a tensor in the stages that show weights."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the numbers of one step (from 0) of the training on this text."""

    text: str
    step: int


class Guess(msgspec.Struct, frozen=True, array_like=True):
    """A byte, with its logit and its probability at one position."""

    byte: int
    logit: float
    probability: float


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A byte of the text, and the prediction of the byte that follows it.

    `target` is the following byte, `loss` its loss in nats before the step and `after` the loss
    after it. `best` are the most probable bytes before the step.
    """

    byte: int
    target: Guess
    loss: float
    after: float
    best: tuple[Guess, ...]


class Weights(msgspec.Struct, frozen=True, array_like=True):
    """A tensor, with the norm of its gradient, and its weight with the largest gradient.

    That weight is at index `place`. Its fields are Adam's running means before and after the step,
    the bias-corrected means, and the change (see `tutor.labs.one_step.adam`). `after` is the weight
    after PyTorch's optimizer step.
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
    """The numbers of one step.

    `windows` are the rows of the batch. `history` has the loss before each step so far, and the
    loss after the last one.
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
    """The text, the step and stage in focus, and the last answer.

    `shown` is the answer for the step `shown_step`; it stays until the answer for the current step
    arrives. `looked` are the tensors that had the focus in stage "move" of the first step.
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
    """Return the next state. Raises `LabError` for a text without a byte to predict."""
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
            return replace(state, step=0, stage=0, shown=None, shown_step=-1, looked=frozenset())


def question(state: State) -> Question | None:
    return None if state.answered else Question(state.text, state.step)


def receive(state: State, question: Question, answer: Answer) -> State:
    if question.text != state.text:
        return state
    new = replace(state, shown=answer, shown_step=question.step)
    return _looked(new)


def _on(text: str) -> State:
    data = text.encode("utf-8", "replace")
    kept = data[:LONGEST].decode("utf-8", "ignore")
    if len(kept.encode()) < 2:
        raise LabError("This text is too short to predict anything.", "Write at least two letters.")
    return State(text=kept, own=kept != START, left_out=len(data) - len(kept.encode()), position=0)


def _walked(state: State, by: int) -> State:
    """Move by some stages, across steps. Ignore a move beyond the first or last step."""
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
    """Remember the tensor in focus if this is stage "move" of the first step."""
    if state.step == 0 and state.at == "move" and state.answered:
        return replace(state, looked=state.looked | {state.tensor})
    return state


@goal("same-move", "In step 1, see weights with slopes 10 to 1 move equally far")
def _same_move(state: State) -> bool:
    """Return whether two weights had the focus, one with ten times the gradient of the other.

    In the first step, both move by the learning rate.
    """
    if state.step or state.shown is None or not state.answered:
        return False
    slopes = [abs(state.shown.weights[place].gradient) for place in state.looked]
    return bool(slopes) and max(slopes) >= 10 * min(slopes)


@goal("worse", "Find a byte whose loss rose in a step that lowered the mean loss")
def _worse(state: State) -> bool:
    if state.shown is None or not state.answered or state.at != "after":
        return False
    there = state.shown.positions[state.position]
    return there.after > there.loss and state.shown.loss_after < state.shown.loss


@goal("by-heart", "Train a sentence of your own to a loss below 0.1")
def _by_heart(state: State) -> bool:
    return state.own and state.answered and state.shown is not None and state.shown.loss_after < 0.1


_NEXT = MoveFocus[Literal["item"]](1, "item")

LAB: Lab[State, Action, Question, Answer] = Lab(
    name="one-step",
    title="One training step, slowly",
    order=150,
    lesson="learning",
    task=(
        "Go through one step of training with the arrow keys. All numbers come from a real "
        "network that is trained here."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
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
