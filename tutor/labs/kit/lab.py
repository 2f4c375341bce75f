"""Defines the interface of a lab.

A lab consists of four functions on a frozen state. Each action of the learner leads to a new state.
If the state needs something that only the model can compute, `question` returns a request for it.
The response leads to the next state, and so on until no request is left:

    start() -> state
    act(state, action) -> state            apply an action of the learner
    question(state) -> request or None     return the next request to the backend
    receive(state, request, response) -> state

In the code, a request is named `question` and a response is named `answer`.

A lab stores nothing outside its state. The same state always has the same request, and a request
contains everything that the backend needs. So a request can be repeated after the engine restarts,
and the screen, the linter and the tests all run a lab in the same way.

Long work is split into requests that take a fraction of a second each, and the screen shows the
progress between them. If the state changes, its request changes too, which ends the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.remote import Sending
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.work import Work
from tutor.language import _
from tutor.vendors.catalogue import RemoteModel

State = TypeVar("State")
Action = TypeVar("Action")
Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_QUESTIONS = 100_000
"""The maximum number of requests in a row. A lab that sends more is assumed to be in an endless
loop."""


LONGEST_ABOUT = 60
"""The maximum length of the line about a lab, which has to fit a list on a narrow screen."""


class Goal(msgspec.Struct, Generic[State], frozen=True):
    """Something for the learner to achieve in a lab.

    Progress files and lessons refer to a goal by its `name`, which never changes. `says` describes
    the goal to the learner. `reached` returns whether a state reaches the goal, even while the
    state's request is still open.
    """

    name: str
    says: str
    reached: Callable[[State], bool]


def goal(name: str, says: str) -> Callable[[Callable[[State], bool]], Goal[State]]:
    """Return a decorator that creates a goal from a function that checks a state."""
    return lambda reached: Goal(name, says, reached)


def _nothing(state: object, action: object, refused: Sequence[RemoteModel]) -> None:
    """Return no action."""


class Lab(msgspec.Struct, Generic[State, Action, Question, Answer], frozen=True, kw_only=True):
    """A lab: its description, its functions, and its goals.

    The command line and lesson files use `name`; the screen shows `title`. `about` says in a list
    of labs what the learner does in this one, in at most `LONGEST_ABOUT` characters. Lists of labs
    are sorted by `order`, which counts in tens so that a new lab fits between two others. `lesson`
    is the id of the lesson that the lab belongs to, and `task` tells the learner what to do, in one
    or two sentences.

    The annotations of `act` and `receive` determine which types are sent between processes or read
    from files: tagged structs, or unions of them. The actions in `solution` reach all goals with
    the default model.
    """

    name: str
    title: str
    about: str
    order: int
    lesson: str
    task: str
    start: Callable[[], State]
    act: Callable[[State, Action], State]
    question: Callable[[State], Question | None]
    receive: Callable[[State, Question, Answer], State]
    goals: tuple[Goal[State], ...]
    solution: tuple[Action, ...]
    work: Work[State] = Work()
    """The fields of the state that are the learner's work, which is saved and restored."""
    results: ModelResults[State] = ModelResults()
    """The fields of the state with results that took long to compute, and are saved as well."""
    lost: Callable[[State, State], str] = lambda before, after: ""
    """A function that returns, in a sentence, which results or texts an action has removed between
    two states. The learner is told, and can undo the action. It returns "" if nothing is lost."""
    reset_settings: Callable[[State], State | None] = lambda state: None
    """A function that resets the settings, but not the texts that the learner wrote. It returns
    None if there is nothing to reset. The key for reset then resets the whole lab."""
    reset_is_final: bool = False
    """Whether a reset deletes something that undo can't bring back."""
    texts: tuple[str, ...] = ()
    """The fields of `EditText` that the lab accepts besides the main text, whose field is empty."""
    asks_model: bool = True
    """Whether a state contains results of the model, which are no longer valid with another
    model."""
    trains: bool = False
    """Whether the lab trains a network. A shared engine limits the number of labs that train at
    once."""
    private: Callable[[Question], bool] = lambda question: False
    """A function that returns whether a request needs the learner's own files or keys, or another
    model. Such a request goes only to the learner's own engine, never to a shared engine."""
    reaches_out: bool = False
    """Whether the lab can send requests to remote models. If the learner has API keys, all its
    requests are private."""
    sends: Callable[[State, Action], Sequence[Sending]] = lambda state, action: ()
    """A function that returns what an action sends to remote models. The learner has to agree
    first."""
    declined: Callable[[State, Action, Sequence[RemoteModel]], Action | None] = _nothing
    """A function that returns the action to apply instead if the learner does not agree to send
    text to some of the remote models, or None."""

    @property
    def actions(self) -> Any:
        return _parameters(self.act)["action"]

    @property
    def questions(self) -> Any:
        return _parameters(self.receive)["question"]

    @property
    def answers(self) -> Any:
        return _parameters(self.receive)["answer"]

    def translated(self) -> Lab[State, Action, Question, Answer]:
        """Return the lab with its texts in the user's language."""
        return replace(
            self,
            title=_(self.title),
            about=_(self.about),
            task=_(self.task),
            goals=tuple(replace(goal, says=_(goal.says)) for goal in self.goals),
        )

    def saved(self, state: State, model: str | None = None) -> bytes:
        """Return the learner's work in this state, or no bytes if there is none.

        With the checksum of a `model`, this includes the results of that model.
        """
        initial = self.start()
        work = self.work.encoded(state, initial)
        return work if model is None else self.results.added(work, state, initial, model)

    def restored(self, data: bytes) -> State:
        """Return a state with the saved work, and without any responses.

        Invalid data is ignored.
        """
        return self.work.restored(data, self.start())

    def resumed(self, data: bytes) -> tuple[State, str | None]:
        """Return a state with the saved work and results, and the checksum of the results' model.

        The checksum is None if no results are restored.
        """
        state = self.restored(data)
        return self.results.restored(data, self.saved(state), state)

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
    """Send the requests of `state` and of the states that follow, until no request is left.

    Yields each state, including the first and the last. Raises `LabError` if the requests never
    end.
    """
    for __ in range(MOST_QUESTIONS):
        yield state
        question = lab.question(state)
        if question is None:
            return
        state = lab.receive(state, question, answer(question))
    raise LabError(
        _("The lab {name!r} never stops sending requests.").format(name=lab.name),
        "This is a bug in the lab.",
    )


def solve(
    lab: Lab[State, Action, Question, Answer], answer: Callable[[Question], Answer]
) -> tuple[frozenset[str], frozenset[str]]:
    """Run the lab's solution without a screen.

    Returns two sets of goal names: the goals that are already reached at the start, which should be
    none, and the goals that the solution reaches.
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
