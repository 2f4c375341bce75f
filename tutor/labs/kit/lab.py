"""The interface of a lab.

A lab consists of four functions on a frozen state. Each action of the learner produces a new state.
If a state needs a result that only the model can compute, `question` returns a request for it. The
response produces the next state, until no more requests are needed:

    start() -> state
    act(state, action) -> state            apply an action of the learner
    question(state) -> request or None     return the next request to the backend
    receive(state, request, response) -> state

In the code, requests are called `question`, and responses are called `answer`.

A lab stores all its data in the state. Equal states have equal requests, and a request contains
everything that the backend needs. So a request can be sent again after the engine restarts, and the
screen, the linter and the tests run a lab in the same way.

Long-running work is split into requests that take a fraction of a second each, and the screen shows
the progress between them. If an action changes the state's request, the screen cancels the previous
request, and the long-running work ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.drafts import Drafts, added
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.work import Work
from tutor.language import _

# These modules load a YAML parser, so they are imported only for type checking. msgspec evaluates
# the annotations of a struct only to decode it, and no `Lab` is ever decoded.
if TYPE_CHECKING:
    from tutor.labs.kit.remote import Sending  # noqa: TC004
    from tutor.vendors.catalogue import RemoteModel  # noqa: TC004

State = TypeVar("State")
Action = TypeVar("Action")
Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_QUESTIONS = 100_000
"""The maximum number of consecutive requests. A lab that sends more is probably in an endless
loop."""


LONGEST_ABOUT = 60
"""The maximum length of a lab's one-line description, which must fit on a narrow screen."""


class Goal(msgspec.Struct, Generic[State], frozen=True):
    """A result that the learner should achieve in a lab.

    Attributes:
        name: The identifier in progress files and lessons. It must never change.
        says: The text that tells the learner what to achieve.
        reached: Returns True if a state reaches the goal. It is called for every state, even if the
            state's request has no response yet.
    """

    name: str
    says: str
    reached: Callable[[State], bool]


def goal(name: str, says: str) -> Callable[[Callable[[State], bool]], Goal[State]]:
    """Return a decorator that turns a function of the state into a goal."""
    return lambda reached: Goal(name, says, reached)


def _nothing(state: object, action: object, refused: Sequence[RemoteModel]) -> None:
    """Return None, so that no action is applied instead. This is the default of `Lab.declined`."""


class Lab(msgspec.Struct, Generic[State, Action, Question, Answer], frozen=True, kw_only=True):
    """A lab: its description, its functions, and its goals.

    Attributes:
        name: The name on the command line and in lesson files.
        title: The name on the screen.
        about: One line that says what the learner does in the lab, shown in lists of labs. It has
            at most `LONGEST_ABOUT` characters.
        order: The position in lists of labs. The numbers are multiples of ten, to leave room for
            new labs.
        lesson: The id of the lesson that the lab belongs to.
        task: One or two sentences that tell the learner what to do.
        solution: Actions that reach all goals with the default model.

    The type annotations of `act` and `receive` define which actions, requests and responses can be
    decoded. These types are tagged structs, or unions of tagged structs.
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
    """The fields that contain the learner's work. They are saved, and restored when the lab is
    opened."""
    results: ModelResults[State] = ModelResults()
    """The fields with results that took a long time to compute. They are saved along with the
    learner's work."""
    lost: Callable[[State, State], str] = lambda before, after: ""
    """A function that compares the states before and after an action. It returns a sentence about
    the results or texts that the action has removed, or "" if it has removed none. The learner sees
    the sentence and can undo the action."""
    undone: Callable[[State], State] = lambda before: before
    """A function that returns the state after undo, given the state before the action. If the
    action has deleted a file, the new state requests that the file be restored."""
    reset_settings: Callable[[State], State | None] = lambda state: None
    """A function that resets the settings but keeps the learner's texts. It returns None if the
    settings are already in their initial state; then the reset key resets the whole lab."""
    reset_is_final: bool = False
    """True if a reset deletes something that undo can't restore."""
    texts: tuple[str, ...] = ()
    """The values of `EditText.field` that the lab accepts, in addition to "", which is the main
    text."""
    asks_model: bool = True
    """True if the state contains results of the model, which become invalid if the model
    changes."""
    trains: bool = False
    """True if the lab trains a network. A shared engine limits the number of simultaneous training
    runs."""
    private: Callable[[Question], bool] = lambda question: False
    """A function that returns True if a request involves the learner's own files or keys, or
    another model. Such a request is sent only to the learner's own engine, never to a shared
    engine."""
    reaches_out: bool = False
    """True if the lab can send requests to remote models. If the learner has API keys, all requests
    of the lab are private."""
    opens: Callable[[Action], bool] = lambda action: False
    """A function that returns True if an action makes tutor read a file that the learner names.
    A locked-down login does not allow such actions."""
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
        """Return a copy of the lab with its texts in the user's language."""
        return replace(
            self,
            title=_(self.title),
            about=_(self.about),
            task=_(self.task),
            goals=tuple(replace(goal, says=_(goal.says)) for goal in self.goals),
        )

    def saved(self, state: State, model: str | None = None, drafts: Drafts | None = None) -> bytes:
        """Encode the learner's work in this state, or return b"" if there is none.

        If `model`, a model's checksum, is given, the model's results are included, and so are
        `drafts`, the texts that the learner has written but not submitted.
        """
        initial = self.start()
        work = added(self.work.encoded(state, initial), drafts or {})
        return work if model is None else self.results.added(work, state, initial, model)

    def restored(self, data: bytes) -> State:
        """Return a state with the saved work, but without results. Invalid data is ignored."""
        return self.work.restored(data, self.start())

    def resumed(self, data: bytes) -> tuple[State, str | None]:
        """Return a state with the saved work and results, and the checksum of the results' model.

        The checksum is None if no results could be restored.
        """
        state = self.restored(data)
        return self.results.restored(data, self.saved(state), state)

    def goal(self, name: str) -> Goal[State] | None:
        return next((goal for goal in self.goals if goal.name == name), None)

    def reached(self, state: State) -> frozenset[str]:
        """Return the names of the goals that this state reaches."""
        return frozenset(goal.name for goal in self.goals if goal.reached(state))


_parameters = cache(get_type_hints)
"""A function that returns the types of another function's parameters, by parameter name."""


def settle(
    lab: Lab[State, Action, Question, Answer], state: State, answer: Callable[[Question], Answer]
) -> Iterator[State]:
    """Run the lab from `state` until it has no more requests. `answer` computes each response.

    Yields each state, including the first and the last. Raises `LabError` if the lab seems to be in
    an endless loop.
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
    """Run the lab's solution without a screen, and return which goals are reached.

    Returns two sets of goal names: the goals that the initial state already reaches, which should
    be none, and the goals that the solution reaches.
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
