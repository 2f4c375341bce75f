"""The lab of one step: what happens between a text and weights that are a little better."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import EditText, MoveFocus, Reset, moved
from tutor.labs.kit.lab import Lab, goal

LONGEST = 129
"""Bytes of text: eight windows of 16, and the last byte to be guessed."""
MOST_STEPS = 100
"""As many are taken again, in a moment, when the engine is started anew."""
START = "The sun rises in the east and sets in the west."
MANY = 10
"""Steps that are taken at once when one by one takes too long."""

Stage = Literal["text", "hide", "ask", "compare", "backward", "move", "after"]
STAGES: tuple[Stage, ...] = ("text", "hide", "ask", "compare", "backward", "move", "after")
ON_WEIGHTS: tuple[Stage, ...] = ("backward", "move")
"""Where one looks at weights; elsewhere at positions of the text."""


class Walk(msgspec.Struct, frozen=True, tag_field="do", tag="walk"):
    """Go `by` stages on, or back. After the last stage comes the first one of the next step."""

    by: int


class SkipSteps(msgspec.Struct, frozen=True, tag_field="do", tag="skip"):
    """Take `MANY` steps at once."""


Action = EditText | Walk | MoveFocus[Literal["item"]] | SkipSteps | Reset
"""An item is a position of the text, or a tensor where weights are shown."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """What happens in this step (from 0) of the training on this text?"""

    text: str
    step: int


class Guess(msgspec.Struct, frozen=True, array_like=True):
    byte: int
    logit: float
    probability: float


class Position(msgspec.Struct, frozen=True, array_like=True):
    """`target` is the byte that comes next, `loss` its cost in nats, before the step and after;
    `best` are the likeliest bytes before it."""

    byte: int
    target: Guess
    loss: float
    after: float
    best: tuple[Guess, ...]


class Weights(msgspec.Struct, frozen=True, array_like=True):
    """One tensor: `norm` is the length of its gradient. The rest is about the one weight with the
    largest slope, at `place`: Adam's running means before and after, without the bias and the
    change (see `tutor.labs.one_step.step`). `after` is the weight as the optimizer left it."""

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
    """`windows` are the rows of the batch; `history` has the loss before each step so far, and
    after the last of them."""

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
    """`shown` belongs to the step `shown_step` of `text`; while another one is owed it stays.
    `looked` are the tensors that were looked at where the weights of the first step move."""

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
    """Raises `LabError` for a text in which there is nothing to guess."""
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
        raise LabError(
            "There is nothing to guess in this text.", "Write two letters, or a sentence."
        )
    return State(text=kept, own=kept != START, left_out=len(data) - len(kept.encode()), position=0)


def _walked(state: State, by: int) -> State:
    """A stage on; from the last one of a step to the first of the next, and back."""
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
    """Remembers the tensor that is looked at while the weights of the first step move."""
    if state.step == 0 and state.at == "move" and state.answered:
        return replace(state, looked=state.looked | {state.tensor})
    return state


@goal("same-move", "In step 1, compare how far two weights move (slopes 10 to 1)")
def _same_move(state: State) -> bool:
    """Two weights were looked at in the first step, the slope of one ten times that of the other:
    both move by the learning rate."""
    if state.step or state.shown is None or not state.answered:
        return False
    slopes = [abs(state.shown.weights[place].gradient) for place in state.looked]
    return bool(slopes) and max(slopes) >= 10 * min(slopes)


@goal("worse", "Find a byte that got worse in a step that lowered the mean loss")
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
    task=("Go through one step of training with the arrow keys. Every number is computed here."),
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
