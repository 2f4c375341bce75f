"""Record the goals that learners reach in labs, and detect when a lab is done."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Generator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutor.app.saving import on_disk
from tutor.course import goals
from tutor.course.goals import Evidence
from tutor.errors import LessonError
from tutor.language import _
from tutor.learner.records import GoalReached, LabDone, LessonState

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from tutor.course.lesson import Lab, Lesson
    from tutor.labs.kit.registry import AnyLab
    from tutor.learner.background import BackgroundProgress


@dataclass(frozen=True)
class Told(Awaitable[str | None]):
    """A message that tells the learner what was recorded, such as a goal that was reached.

    Awaiting this object waits until the record has been saved to disk, and returns the message. It
    returns None if there is nothing to say or if the record could not be saved.
    """

    said: str | None = None
    saving: Future[None] | None = None

    def __await__(self) -> Generator[Any, None, str | None]:
        return self._wait().__await__()

    async def _wait(self) -> str | None:
        return self.said if self.saving is not None and await on_disk(self.saving) else None


class GoalKeeper:
    """A recorder of the goals that the learner reaches in labs.

    There are two kinds of goals. A lesson file names goals for a lab that it embeds, and when all
    of these are reached, the lab counts as done in that lesson. A lab from `tutor.labs` also has
    its own goals, which count no matter where the learner opens the lab.

    The methods that record goals do so immediately and return a `Told`. Await it to get the message
    for the learner after the record has been saved.
    """

    def __init__(
        self, progress: BackgroundProgress, find_lesson: Callable[[str], Lesson | None]
    ) -> None:
        """Create the recorder.

        `find_lesson` returns the lesson with a given id, and raises `LessonError` if the lesson
        cannot be read.
        """
        self._progress = progress
        self._find_lesson = find_lesson

    def stepped(self, lesson: Lesson, lab: Lab, evidence: Evidence) -> Told:
        """Record the goals of an embedded lab that have been reached according to `evidence`."""
        before = reached(lab, self._progress.lesson(lesson.id))
        for index in sorted(goals.goals_reached(lab, evidence, before) - before):
            self._note(lab.id, lesson.id, goals.name(lab.goals[index]))
        return self.over(lesson, lab) if lab.goals else Told()

    def reached(self, lesson: Lesson, lab: Lab) -> frozenset[str]:
        """Return the names of the goals that have been reached in an embedded lab."""
        indexes = reached(lab, self._progress.lesson(lesson.id))
        return frozenset(goals.name(lab.goals[index]) for index in indexes)

    def over(self, lesson: Lesson, lab: Lab) -> Told:
        """Record that an embedded lab is done, if all of its goals have been reached."""
        state = self._progress.lesson(lesson.id)
        if lab.id in state.labs_done or len(reached(lab, state)) < len(lab.goals):
            return Told()
        done = LabDone(at=time.time(), lab=lab.id, lesson=lesson.id)
        return Told(lab.done, self._progress.record(done))

    def kept(self, lab: AnyLab) -> frozenset[str]:
        """Return the names of the goals that have been reached in a lab from `tutor.labs`."""
        names = self._progress.lesson(lab.lesson).goals_reached.get(lab.name, ())
        return frozenset(names) & {goal.name for goal in lab.goals}

    def prepare(self, lab: AnyLab) -> None:
        """Read a lab's lesson, so that `live` does not have to wait for it.

        This is only needed if the lab was opened without a lesson. Call this method in a thread,
        because it takes up to 0.2 s.
        """
        self._lesson_of(lab)

    def live(self, lab: AnyLab, now: Set[str], lesson: Lesson | None) -> Told:
        """Record which goals of a lab from `tutor.labs` have been reached.

        `now` contains the names of the goals that have just been reached. `lesson` is the lesson
        from which the lab was opened. If it is None, the goals count toward the lab's own lesson.
        """
        before = self.kept(lab)
        saving = [
            self._note(lab.name, lab.lesson, goal.name)
            for goal in lab.goals
            if goal.name in now - before
        ]
        lesson = lesson or self._lesson_of(lab)
        embedded = [each for each in lesson.labs if each.live == lab.name] if lesson else []
        told = [
            self.stepped(lesson, each, Evidence(live=before | now)) for each in embedded if lesson
        ]
        for each in told:
            if each.said is not None:
                return each
        if not saving or len(self.kept(lab)) < len(lab.goals):
            return Told()
        return Told(_("You have reached all goals of this lab."), saving[-1])

    def _lesson_of(self, lab: AnyLab) -> Lesson | None:
        with suppress(LessonError):
            return self._find_lesson(lab.lesson)
        return None

    def _note(self, lab: str, lesson: str, goal: str) -> Future[None]:
        return self._progress.record(GoalReached(at=time.time(), lab=lab, lesson=lesson, goal=goal))


def reached(lab: Lab, state: LessonState) -> frozenset[int]:
    """Return the indexes in `lab.goals` of the goals that have been reached."""
    names = state.goals_reached.get(lab.id, ())
    return frozenset(index for index, goal in enumerate(lab.goals) if goals.name(goal) in names)
