"""A lab in which the learner adjusts and reorders the steps of a sampler."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Adjust, EditText, MoveFocus, Reset, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import Refused, work
from tutor.lm.dials import ORDER, Dials, Stage, StepName, value, with_value

LONGEST = 2000
"""The maximum length of the text, in characters. If the text is longer, only its end is used."""
SHOWN = 40
"""The number of tokens to list: the most probable ones before the first step."""
REMEMBERED = 50
"""The maximum number of earlier outcomes that are kept for comparison."""

LADDERS: dict[StepName, tuple[float, ...]] = {
    "repetition": (1.0, 1.1, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0),
    "temperature": (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0),
    "top-k": (0, 1, 2, 3, 5, 10, 20, 40, 100, 1000),
    "top-p": (1.0, 0.99, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1),
    "min-p": (0.0, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
}
"""The available values of each setting."""


class Reorder(msgspec.Struct, frozen=True, tag_field="do", tag="reorder"):
    """Move the selected step by `by` positions, later if positive or earlier if negative."""

    by: int


Action = EditText | MoveFocus[Literal["step"]] | Adjust[Literal["step"]] | Reorder | Reset


class Question(msgspec.Struct, frozen=True, tag=True):
    text: str
    dials: Dials
    order: tuple[StepName, ...]


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A token, with its probability (0 to 1) before and after all steps.

    `removed_by` is the step that removed the token, or None.
    """

    id: int
    data: bytes
    before: float
    after: float
    removed_by: StepName | None = None


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The response: how a sampler's steps change the distribution of the next token.

    Attributes:
        vocabulary: The number of tokens in the vocabulary.
        entropy_bits: The entropy of the distribution before the first step, in bits.
        stages: The effect of each step, in order.
        rows: The most probable tokens before the first step.
        first_after: The most probable token after the last step.
    """

    vocabulary: int
    entropy_bits: float
    stages: tuple[Stage, ...]
    rows: tuple[Row, ...]
    first_after: Row


class Outcome(msgspec.Struct, frozen=True):
    """The number of tokens that the sampler kept, with these settings and this order of steps."""

    text: str
    dials: Dials
    order: tuple[StepName, ...]
    kept: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        left_out: The number of characters that were cut from the text.
        dials: The settings of the sampler.
        order: The order of the steps.
        focus: The index of the selected step.
        answer: The latest response.
        answered: The request that the latest response belongs to.
        outcomes: Recent outcomes, for comparison.
    """

    text: str
    left_out: int = 0
    dials: Dials = Dials()
    order: tuple[StepName, ...] = ORDER
    focus: int = 0
    answer: Answer | None = None
    answered: Question | None = None
    outcomes: tuple[Outcome, ...] = ()

    @property
    def asked(self) -> Question:
        return Question(self.text, self.dials, self.order)

    @property
    def known(self) -> bool:
        return self.answered == self.asked


def start() -> State:
    return _on("The cat ate the fish. The dog ate the")


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            new = _on(text)
            return replace(state, text=new.text, left_out=new.left_out)
        case MoveFocus(by=by):
            return replace(state, focus=moved(state.focus, by, len(state.order)))
        case Adjust(by=by):
            return replace(state, dials=_turned(state.dials, state.order[state.focus], by))
        case Reorder(by=by):
            to = moved(state.focus, by, len(state.order))
            order = list(state.order)
            order.insert(to, order.pop(state.focus))
            return replace(state, order=tuple(order), focus=to)
        case Reset():
            return replace(state, dials=Dials(), order=ORDER)


def question(state: State) -> Question | None:
    return None if state.known or not state.text else state.asked


def receive(state: State, question: Question, answer: Answer) -> State:
    outcome = Outcome(question.text, question.dials, question.order, answer.stages[-1].kept)
    return replace(
        state, answer=answer, answered=question, outcomes=(*state.outcomes, outcome)[-REMEMBERED:]
    )


def _on(text: str) -> State:
    kept = text[-LONGEST:]
    return State(text=kept, left_out=len(text) - len(kept))


def _dials(dials: Dials) -> Dials:
    if any(value(dials, name) not in ladder for name, ladder in LADDERS.items()):
        raise Refused
    return dials


def _order(order: tuple[StepName, ...]) -> tuple[StepName, ...]:
    if sorted(order) != sorted(ORDER):
        raise Refused
    return order


def _reset(state: State) -> State | None:
    reset = replace(state, dials=Dials(), order=ORDER)
    return None if reset == state else reset


def _turned(dials: Dials, name: StepName, by: int) -> Dials:
    ladder = LADDERS[name]
    at = moved(ladder.index(value(dials, name)), by, len(ladder))
    return with_value(dials, name, ladder[at])


@goal("one-left", "Keep only one token at a temperature above 1")
def _one_left(state: State) -> bool:
    answer = state.answer
    return (
        state.known
        and answer is not None
        and answer.stages[-1].kept == 1
        and state.dials.temperature > 1
    )


@goal("order-matters", "Change how many tokens are kept by changing only the order")
def _order_matters(state: State) -> bool:
    """Return True if a change in the order alone changed how many tokens are kept."""
    if not state.outcomes:
        return False
    *earlier, last = state.outcomes
    return any(
        (each.text, each.dials) == (last.text, last.dials)
        and each.order != last.order
        and each.kept != last.kept
        for each in earlier
    )


@goal("few-and-even", "Keep at most 20 tokens, each with a probability below 15 %")
def _few_and_even(state: State) -> bool:
    answer = state.answer
    return (
        state.known
        and answer is not None
        and answer.stages[-1].kept <= 20
        and answer.first_after.after < 0.15
    )


@goal("dethroned", "Make a different token the most probable one")
def _dethroned(state: State) -> bool:
    answer = state.answer
    return state.known and answer is not None and answer.first_after.id != answer.rows[0].id


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="sampler",
    title="Sampler workbench",
    about="See how temperature, top-k and top-p change the draw",
    order=180,
    lesson="sampling",
    task=(
        "Adjust and reorder the steps between the model's logits and the random draw. See "
        "which tokens each step removes."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    work=work("left_out", text=LONGEST, dials=_dials, order=_order, focus=len(ORDER)),
    reset_settings=_reset,
    goals=(_one_left, _few_and_even, _dethroned, _order_matters),
    solution=(
        MoveFocus(2, "step"),  # Select top-k.
        Adjust(1, "step"),
        MoveFocus(-1, "step"),  # Select temperature.
        Adjust(3, "step"),
        Reset(),
        MoveFocus(-1, "step"),  # Select repetition.
        Adjust(4, "step"),
        Reset(),
        EditText("I opened the box and found a"),
        MoveFocus(1, "step"),  # Select temperature.
        Adjust(8, "step"),
        MoveFocus(1, "step"),  # Select top-k.
        Adjust(5, "step"),
        Reset(),
        MoveFocus(-1, "step"),
        Adjust(6, "step"),
        MoveFocus(2, "step"),  # Select top-p.
        Adjust(4, "step"),
        Reorder(-2),
    ),
)
