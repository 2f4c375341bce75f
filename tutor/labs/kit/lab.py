"""Defines the contract of a lab.

A lab is four functions on a frozen state. An action of the learner leads to a new state. If the
state needs something that only the model can compute, `question` returns the question to ask. The
answer leads to the next state, until there is no question left:

    start() -> state
    act(state, action) -> state            the learner did something
    question(state) -> question or None    what this state needs to know next
    receive(state, question, answer) -> state

Nothing else is remembered. The same state always has the same question, and a question contains
everything that is needed to answer it. So a restarted engine can be asked again, and the screen,
the linter and a test all run a lab in the same way.

Long work is split into questions that take a fraction of a second each. Between two of them the
screen shows the progress. If the state changes, its question changes too, which ends the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec

from tutor.errors import LabError

State = TypeVar("State")
Action = TypeVar("Action")
Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_QUESTIONS = 100_000
"""A lab that asks more questions than this in a row is taken to be in an endless loop."""


class Goal(msgspec.Struct, Generic[State], frozen=True):
    """Something to achieve in a lab.

    Progress files and lessons refer to a goal by its `name`, which never changes. `says` tells the
    learner what to achieve. `reached` tells whether a state reaches it, even while the state's
    question is still open.
    """

    name: str
    says: str
    reached: Callable[[State], bool]


def goal(name: str, says: str) -> Callable[[Callable[[State], bool]], Goal[State]]:
    """Return a decorator that turns a function that checks a state into a goal."""
    return lambda reached: Goal(name, says, reached)


class Lab(msgspec.Struct, Generic[State, Action, Question, Answer], frozen=True, kw_only=True):
    """A lab: its description, its functions, and its goals.

    The command line and lesson files use `name`, the screen shows `title`. Lists are sorted by
    `order`, numbered in tens so that another lab fits between two. `lesson` is the id of the lesson
    that the lab belongs to, and `task` tells the learner what to do, in one or two sentences.

    The annotations of `act` and `receive` are the types that are sent between processes or read
    from files: structs with tags, or unions of them. The actions in `solution` reach all goals with
    the default model.
    """

    name: str
    title: str
    order: int
    lesson: str
    task: str
    start: Callable[[], State]
    act: Callable[[State, Action], State]
    question: Callable[[State], Question | None]
    receive: Callable[[State, Question, Answer], State]
    goals: tuple[Goal[State], ...]
    solution: tuple[Action, ...]
    asks_model: bool = True
    """Whether a state contains results of the model, which don't apply to another model."""
    trains: bool = False
    """Whether the lab trains a network; a shared engine limits how many train at once."""
    private: Callable[[Question], bool] = lambda question: False
    """Tells whether a question needs the learner's own files or keys, or another model. Only the
    learner's own engine answers it, never a shared engine."""
    reaches_out: bool = False
    """Whether the lab can ask remote models. If the learner has API keys, all its questions are
    private."""

    @property
    def actions(self) -> Any:
        return _parameters(self.act)["action"]

    @property
    def questions(self) -> Any:
        return _parameters(self.receive)["question"]

    @property
    def answers(self) -> Any:
        return _parameters(self.receive)["answer"]

    def goal(self, name: str) -> Goal[State] | None:
        return next((goal for goal in self.goals if goal.name == name), None)

    def reached(self, state: State) -> frozenset[str]:
        """Return the names of the goals that this state reaches."""
        return frozenset(goal.name for goal in self.goals if goal.reached(state))


_parameters = cache(get_type_hints)
"""The types of a function's parameters, by name."""


def settle(
    lab: Lab[State, Action, Question, Answer], state: State, answer: Callable[[Question], Answer]
) -> Iterator[State]:
    """Answer the question of `state`, and of each state that follows, until there is none.

    Yields each state, including the first and the last. Raises `LabError` if it never ends.
    """
    for _ in range(MOST_QUESTIONS):
        yield state
        question = lab.question(state)
        if question is None:
            return
        state = lab.receive(state, question, answer(question))
    raise LabError(f"The lab {lab.name!r} never stops asking.", "This is a bug in the lab.")


def solve(
    lab: Lab[State, Action, Question, Answer], answer: Callable[[Question], Answer]
) -> tuple[frozenset[str], frozenset[str]]:
    """Carry out the lab's solution without a screen.

    Returns the goals that are already reached at the start, which should be none, and the goals
    that the solution reaches.
    """
    reached: set[str] = set()

    def settled(state: State) -> State:
        for passed in settle(lab, state, answer):
            reached.update(lab.reached(passed))
            state = passed
        return state

    state = settled(lab.start())
    at_start = frozenset(reached)
    reached.clear()
    for action in lab.solution:
        state = settled(lab.act(state, action))
    return at_start, frozenset(reached)
