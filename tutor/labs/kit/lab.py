"""What every lab consists of.

A lab is five functions on a frozen state. An action of the learner leads to another state; where
the state lacks something that only the model can say, `question` names it; the answer leads to
another state, until there is no question left:

    start() -> state
    act(state, action) -> state            the learner did something
    question(state) -> question or None    what is owed to this state
    receive(state, question, answer) -> state

Nothing else is remembered: the same state always has the same question, and a question holds all
that is needed to answer it. So an engine that was started anew can be asked again, and the
screen, the linter and a test go through a lab in the same way.

Long work is cut into questions that take a fraction of a second each. Between two of them the
screen shows how far it is, and a changed state ends the work by having another question or none.
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
"""So many in a row after one action are taken for a lab that never comes to rest."""


class Goal(msgspec.Struct, Generic[State], frozen=True):
    """Something to bring about. `name` is what progress and lessons call it and never changes;
    `says` is for the learner, in a few words; `reached` looks at a state, at rest or not."""

    name: str
    says: str
    reached: Callable[[State], bool]


def goal(name: str, says: str) -> Callable[[Callable[[State], bool]], Goal[State]]:
    """Return a decorator that makes a goal of a function, which tells whether it is reached."""
    return lambda reached: Goal(name, says, reached)


class Lab(msgspec.Struct, Generic[State, Action, Question, Answer], frozen=True, kw_only=True):
    """One lab. `name` is for the command line and for lesson files, `title` for the screen,
    `order` where lists show it (numbered in tens, so that another fits between),
    `lesson` the id of the lesson that it belongs to, `task` what to do there, in one or two
    sentences. `act` and `receive` are annotated with the types that cross a process or come from a
    file: structs with tags, or unions of them. `solution` reaches all goals with the default
    model."""

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
    """Whether anything in a state comes from the model. What one said means nothing to another."""
    trains: bool = False
    """Whether a network is trained: an engine that serves many learners limits how many at once."""
    private: Callable[[Question], bool] = lambda question: False
    """Whether this question is about the learner's own files or keys, or takes another model: only
    an engine of the learner's own answers it, never one that serves many."""
    reaches_out: bool = False
    """Whether models elsewhere can be asked: then all questions of a learner who has keys are
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
        """The names of the goals that hold in this state."""
        return frozenset(goal.name for goal in self.goals if goal.reached(state))


_parameters = cache(get_type_hints)
"""The types of a function's parameters, by name."""


def settle(
    lab: Lab[State, Action, Question, Answer], state: State, answer: Callable[[Question], Answer]
) -> Iterator[State]:
    """Answers what `state` asks, and what the next one asks, until nothing is owed. Yields each
    state, the first and the last too. Raises `LabError` where that does not come to an end."""
    for _ in range(MOST_QUESTIONS):
        yield state
        question = lab.question(state)
        if question is None:
            return
        state = lab.receive(state, question, answer(question))
    raise LabError(f"The lab {lab.name!r} does not come to rest.", "This is a mistake in the lab.")


def solve(
    lab: Lab[State, Action, Question, Answer], answer: Callable[[Question], Answer]
) -> tuple[frozenset[str], frozenset[str]]:
    """Does the lab as its solution says, without a screen. Returns the goals that hold at the
    start, where none should, and those that were reached on the way."""
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
