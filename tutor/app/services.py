"""The objects that screens need: the services, and the navigation between screens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from tutor.allowed import Allowed
from tutor.learner import review
from tutor.lm.distribution import SamplerSettings
from tutor.study.review_questions import review_questions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Set

    from tutor.app.background.goal_keeper import GoalKeeper
    from tutor.app.background.keeper import ModelKeeper
    from tutor.app.background.settings_keeper import SettingsKeeper
    from tutor.app.explorer.document import Document
    from tutor.course.catalogue import Course
    from tutor.course.lesson import Lab, Lesson
    from tutor.course.outline import Outline
    from tutor.course.targets import ScreenTarget, TermTarget
    from tutor.engine.api import Engine
    from tutor.errors import TutorError
    from tutor.labs.kit.registry import AnyLab
    from tutor.learner.background import BackgroundProgress
    from tutor.learner.review import Limits, Queue, ReviewQuestion
    from tutor.vendors.catalogue import RemoteModel

    Agreed = Callable[[RemoteModel, str], Awaitable[bool]]
    """A function that returns True if text may be sent to the host of a model.

    If the learner's consent is needed, the function asks for it. Its second argument is a phrase
    that describes the text (see `tutor.app.model.consent`).
    """


@dataclass
class Services:
    """The services that screens use.

    `remote` is the remote model that the engine uses, or None. `allowed` says what learners may do
    on this machine, and `find_lab` returns the lab with a given name.
    """

    course: Course
    progress: BackgroundProgress
    engine: Engine
    model: ModelKeeper
    goals: GoalKeeper
    agreed: Agreed
    remote: RemoteModel | None
    allowed: Allowed
    find_lab: Callable[[str], AnyLab]
    settings: SettingsKeeper

    @cached_property
    def asked(self) -> dict[str, ReviewQuestion]:
        """The course's questions, by id, in the form that reviews use."""
        return review_questions(self.course)

    def replace_course(self, course: Course) -> None:
        """Replace the course. `tutor preview` calls this each time the lesson file is saved."""
        self.course = course
        self.__dict__.pop("asked", None)

    def review_queue(self) -> Queue:
        """Return the questions that are due now."""
        now = self.progress.clock()
        return review.queue(self.progress.state(), self.asked, now, self.limits)

    @property
    def limits(self) -> Limits:
        """The limits on reviews per day."""
        return review.limits(self.progress.setting, self.settings.current.review)

    @property
    def sampler(self) -> SamplerSettings:
        """The sampler settings for new texts in the stepper."""
        return SamplerSettings(**msgspec.structs.asdict(self.settings.current.sampler))

    @property
    def retention(self) -> float:
        return self.settings.current.review.retention


Place = (
    Literal["home", "step", "chat", "guess", "labs", "model", "settings"]
    | Literal["review", "suspended", "progress", "teacher", "glossary", "search", "tour"]
)
"""The name of a screen that can be opened without any arguments."""


class Navigation(Protocol):
    """The interface for opening and closing screens, implemented by `tutor.app.navigator`.

    Screens depend only on this protocol, so that no screen imports another.
    """

    def open_place(self, place: Place) -> None:
        """Open the screen with this name, or return to it if it is already open."""

    def open_outline(
        self, outline: Outline, screen: str | None = None, *, quiz: bool = False, look: bool = False
    ) -> None:
        """Read a lesson, and open its text or its questions.

        The lesson file may have changed since the outline was read. If the lesson can no longer be
        read, the learner sees the error. For `look`, see `open_lesson`.
        """

    def open_lesson(self, lesson: Lesson, screen: str | None = None, *, look: bool = False) -> None:
        """Open the text of a lesson.

        If `look` is true, the learner only looks something up. The place at which they continue
        then stays the same until they read on.
        """

    def open_link(self, href: str, lesson_id: str = "") -> None:
        """Open the target of a link on top of the current screen.

        `lesson_id` is the id of the lesson that contains the link. Addresses outside the course are
        shown but not opened.
        """

    def open_target(self, target: TermTarget | ScreenTarget) -> None:
        """Open a term or a lesson's screen on top of the current screen, to look something up."""

    def open_quiz(self, lesson: Lesson) -> None:
        """Open the questions of a lesson. If they are already open, return to them.

        If the result of an earlier attempt is open, it is replaced with a new attempt, because two
        open screens of the same quiz could contradict each other.
        """

    def restart_quiz(self, lesson: Lesson, *, only_left: bool = False) -> None:
        """Replace the current screen with the questions of a lesson.

        If `only_left` is true, only questions that are open or were answered wrong are asked.
        """

    def open_end(self, lesson: Lesson) -> None:
        """Open the screen at the end of a lesson. If it is already open, return to it."""

    def close_lesson(self, lesson: Lesson) -> None:
        """Close the screens of a lesson that are on top of the screen stack."""

    def show_result(self, lesson: Lesson, unsure: Set[str]) -> None:
        """Replace the quiz with its result. Esc then returns to the screen that opened the quiz."""

    def open_lab(self, lesson: Lesson, lab: Lab) -> None:
        """Open a lab that a lesson embeds."""

    def open_live_lab(
        self, name: str, lesson: Lesson | None = None, embedded: Lab | None = None
    ) -> None:
        """Open a lab from `tutor.labs` in the state in which the learner left it.

        If a lesson embeds the lab, `lesson` is that lesson, and `embedded` contains the task and
        the goals that the lesson sets.
        """

    def open_conversation(self, begin: Document) -> None:
        """Open the stepper with a conversation from a lab."""

    def open_lesson_progress(self, outline: Outline) -> None: ...

    def tell(self, message: TutorError | str | None) -> None:
        """Show a message on the current screen. None hides the message."""
