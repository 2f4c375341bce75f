"""Define a place of the course: what it says, and the commands that it has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from tutor.learner import review
from tutor.study.review_questions import review_questions

if TYPE_CHECKING:
    from tutor.allowed import Allowed
    from tutor.app.background.goal_keeper import GoalKeeper
    from tutor.app.background.lab_keeper import LabKeeper
    from tutor.course.catalogue import Course
    from tutor.course.lesson import Lab, Lesson
    from tutor.engine.api import Engine
    from tutor.errors import TutorError
    from tutor.learner.background import BackgroundProgress
    from tutor.learner.review import Queue, ReviewQuestion
    from tutor.plain.voice import Voice
    from tutor.study.next_step import NextStep
    from tutor.vendors.catalogue import RemoteModel


class Leave(Enum):
    """A way to leave a place."""

    BACK = "back"
    HOME = "home"


Run = Callable[[str], Awaitable["Place | Leave | Replace | None"]]


@dataclass(frozen=True)
class Command:
    """A command. The learner types `word`, then the `argument` if there is one.

    `help` says in one sentence what the command does. A `raw` argument keeps the spaces around it,
    which matter to a model.
    """

    word: str
    help: str
    run: Run
    argument: str = ""
    raw: bool = False

    @property
    def usage(self) -> str:
        return f"{self.word} {self.argument}".rstrip()


@dataclass(frozen=True)
class Replace:
    """A place that takes the place of the current one, so that `back` does not return to it."""

    place: Place


class Navigation(Protocol):
    """The ways to other places, which `tutor.plain.navigator` implements.

    Places depend only on this protocol, so that no place imports another.
    """

    def lesson(self, lesson: Lesson, screen_id: str | None = None) -> Place: ...

    def quiz(self, lesson: Lesson, *, only_left: bool = True) -> Place: ...

    def end(self, lesson: Lesson) -> Place: ...

    def review(self) -> Place: ...

    def step(self, step: NextStep | None) -> Place | None: ...

    def stepper(self) -> Place: ...

    def chat(self) -> Place: ...

    def guess(self) -> Place: ...

    def live_lab(self, name: str) -> Place: ...

    def lab(self, lesson: Lesson, lab: Lab) -> Place: ...


@dataclass
class Services:
    """The services that places may use. `notices` are messages to say before the next prompt."""

    course: Course
    progress: BackgroundProgress
    engine: Engine
    goals: GoalKeeper
    labs: LabKeeper
    voice: Voice
    allowed: Allowed
    navigation: Callable[[Services], Navigation]
    remote: RemoteModel | None = None
    notices: list[str] = field(default_factory=list)

    @cached_property
    def open(self) -> Navigation:
        """The ways to other places."""
        return self.navigation(self)

    @cached_property
    def asked(self) -> dict[str, ReviewQuestion]:
        """The course's questions by id, in the form that reviews use."""
        return review_questions(self.course)

    def review_queue(self) -> Queue:
        limits = review.limits(self.progress.setting)
        return review.queue(self.progress.state(), self.asked, self.progress.clock(), limits)

    def notice(self, error: TutorError) -> None:
        from tutor.plain import words

        self.notices.append(words.error(error))


class Place(ABC):
    """A place of the course. Places are stacked: `back` returns to the one below."""

    takes_text = False
    """Whether a line that is not exactly a command is text for this place, such as an answer."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.say = services.voice.say
        self.named: set[str] = set()
        """The commands that prompts have named here. Each is named once."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the place, as a sentence."""

    async def begin(self) -> None:
        """Say what there is to say when the place is opened."""
        self.say(self.title)

    async def resume(self) -> None:
        """Say where the learner is after coming back from another place."""
        self.say(self.title)

    @abstractmethod
    def commands(self) -> Sequence[Command]:
        """Return the commands that make sense now."""

    def on_enter(self) -> Command | None:
        """Return the command that Enter runs, whose help begins like "Go to the next …"."""
        return None

    def asks(self) -> str:
        """Return what the prompt asks for before it lists commands, or an empty text."""
        return ""

    async def typed(self, text: str) -> Place | Leave | Replace | None:
        """Handle text, in a place that takes it."""
        return None

    async def close(self) -> None:  # noqa: B027  (most places have nothing to release)
        """Release what the place uses, when it is left for good."""
