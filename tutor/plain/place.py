"""The interface of a place: a part of the course that prints text and offers commands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import msgspec

from tutor.learner import review
from tutor.lm.distribution import SamplerSettings
from tutor.study.review_questions import review_questions

if TYPE_CHECKING:
    from tutor.allowed import Allowed
    from tutor.app.background.goal_keeper import GoalKeeper
    from tutor.app.background.keeper import ModelKeeper
    from tutor.app.background.lab_keeper import LabKeeper
    from tutor.app.explorer.document import Document
    from tutor.app.explorer.xray.inside import Inside
    from tutor.course.catalogue import Course
    from tutor.course.lesson import Lab, Lesson
    from tutor.engine.api import Engine
    from tutor.errors import TutorError
    from tutor.learner.background import BackgroundProgress
    from tutor.learner.review import Limits, Queue, ReviewQuestion
    from tutor.lm.distribution import Token
    from tutor.plain.voice import Voice
    from tutor.settings.schema import Settings
    from tutor.study.next_step import NextStep
    from tutor.vendors.catalogue import RemoteModel


class Leave(Enum):
    """A request to leave the current place for the previous place or the course map."""

    BACK = "back"
    HOME = "home"


Run = Callable[[str], Awaitable["Place | Leave | Replace | None"]]


@dataclass(frozen=True)
class Command:
    """A command.

    The learner types `word`, followed by the `argument` if the command has one. `help` is a
    sentence that describes the command. If `raw` is true, the argument keeps its leading and
    trailing spaces, because they matter to a model.
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
    """A request to replace the current place with another, so that `back` skips it."""

    place: Place


Decided = Callable[[bool], None]
"""A function that receives the learner's decision. It is called once."""


class Navigation(Protocol):
    """The interface for creating places, implemented by `tutor.plain.navigator`.

    Places depend only on this protocol, so that no place imports another.
    """

    def lesson(self, lesson: Lesson, screen_id: str | None = None) -> Place: ...

    def quiz(self, lesson: Lesson, *, only_left: bool = True) -> Place: ...

    def end(self, lesson: Lesson) -> Place: ...

    def review(self) -> Place: ...

    def step(self, step: NextStep | None) -> Place | None: ...

    def stepper(self) -> Place: ...

    def chat(self) -> Place: ...

    def text(self, text: Document) -> Place: ...

    def guess(self) -> Place: ...

    def live_lab(self, name: str) -> Place: ...

    def lab(self, lesson: Lesson, lab: Lab) -> Place: ...

    def xray(self, path: Sequence[Token], position: int, inside: Inside) -> Place: ...

    def consent(self, model: RemoteModel, what: str, decided: Decided) -> Place: ...


@dataclass
class Services:
    """The services that places use.

    `settings` are the settings in effect, and `notices` are messages to print before the next
    prompt. `model` keeps the model running, and downloads it when the learner asks for it.
    """

    course: Course
    progress: BackgroundProgress
    engine: Engine
    goals: GoalKeeper
    labs: LabKeeper
    voice: Voice
    allowed: Allowed
    navigation: Callable[[Services], Navigation]
    settings: Settings
    remote: RemoteModel | None = None
    model: ModelKeeper | None = None
    notices: list[str] = field(default_factory=list)

    @cached_property
    def open(self) -> Navigation:
        """The navigator, which creates other places."""
        return self.navigation(self)

    @cached_property
    def asked(self) -> dict[str, ReviewQuestion]:
        """The course's questions, by id, in the form that reviews use."""
        return review_questions(self.course)

    def may_send(self, model: RemoteModel) -> bool | None:
        """Return whether text may be sent to the host of `model`, or None to ask the learner."""
        if model != self.remote and not self.allowed.other_servers:
            return False
        return True if self.engine.allowed(model) else None

    def review_queue(self) -> Queue:
        now = self.progress.clock()
        return review.queue(self.progress.state(), self.asked, now, self.limits)

    @property
    def limits(self) -> Limits:
        """The limits on reviews per day."""
        return review.limits(self.progress.setting, self.settings.review)

    @property
    def sampler(self) -> SamplerSettings:
        """The sampler settings for new texts in the stepper."""
        return SamplerSettings(**msgspec.structs.asdict(self.settings.sampler))

    @property
    def retention(self) -> float:
        return self.settings.review.retention

    def notice(self, error: TutorError) -> None:
        from tutor.plain import words

        self.notices.append(words.error(error))


class Place(ABC):
    """A part of the course, such as a lesson or a quiz.

    Open places form a stack, and `back` returns to the place below the current one.
    """

    takes_text = False
    """Whether the learner can type text, such as an answer, in addition to commands."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.say = services.voice.say
        self.named: set[str] = set()
        """The commands that earlier prompts have named. Each command is named only once."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The title to print, as a sentence."""

    async def begin(self) -> None:
        """Print the text to show when this place is opened."""
        self.say(self.title)

    async def resume(self) -> Place | Leave | Replace | None:
        """Print the text to show when the learner returns here from another place."""
        self.say(self.title)
        return None

    @abstractmethod
    def commands(self) -> Sequence[Command]:
        """Return the commands that are available now."""

    def on_enter(self) -> Command | None:
        """Return the command that Enter runs, or None.

        The command's help starts with a verb: "Go to the next …".
        """
        return None

    def asks(self) -> str:
        """Return the first sentence of the prompt, such as "Type a number.", or "" for none.

        The prompt continues with the available commands.
        """
        return ""

    async def typed(self, text: str) -> Place | Leave | Replace | None:
        """Handle a line that is not a command. It is called only if `takes_text` is true."""
        return None

    async def close(self) -> None:  # noqa: B027  (most places have nothing to release)
        """Release all resources. This is called when the learner leaves and cannot return here."""
