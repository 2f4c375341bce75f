"""Takes note of the goals that are reached in labs, and knows when a lab is done."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tutor.app.saving import on_disk
from tutor.course import goals
from tutor.course.goals import Evidence
from tutor.errors import LessonError
from tutor.learner.records import GoalReached, LabDone, LessonState

if TYPE_CHECKING:
    from collections.abc import Callable, Set
    from concurrent.futures import Future

    from tutor.course.lesson import Lab, Lesson
    from tutor.labs.kit.registry import AnyLab
    from tutor.learner.background import BackgroundProgress


class GoalKeeper:
    """A lab of a lesson file is done, once, when all the goals that the lesson names are reached.
    A lab of `tutor.labs` keeps its own goals besides, in whichever way it was opened.

    What the methods return is to be said to the learner; it is on disk by then.
    """

    def __init__(
        self, progress: BackgroundProgress, find_lesson: Callable[[str], Lesson | None]
    ) -> None:
        """`find_lesson` has the lesson of an id, and raises `LessonError` for one that cannot be
        read."""
        self._progress = progress
        self._find_lesson = find_lesson

    async def stepped(self, lesson: Lesson, lab: Lab, evidence: Evidence) -> str | None:
        """`evidence` was seen in a lab of the lesson."""
        before = reached(lab, self._progress.lesson(lesson.id))
        for place in sorted(goals.goals_reached(lab, evidence, before) - before):
            self._note(lab.id, lesson.id, goals.name(lab.goals[place]))
        return await self.over(lesson, lab) if lab.goals else None

    async def over(self, lesson: Lesson, lab: Lab) -> str | None:
        """A lab of the lesson came to its end; one with goals is done when all are reached."""
        state = self._progress.lesson(lesson.id)
        if lab.id in state.labs_done or len(reached(lab, state)) < len(lab.goals):
            return None
        done = LabDone(at=time.time(), lab=lab.id, lesson=lesson.id)
        return lab.done if await on_disk(self._progress.record(done)) else None

    def kept(self, lab: AnyLab) -> frozenset[str]:
        """The names of the goals of a lab of `tutor.labs` that were reached so far."""
        names = self._progress.lesson(lab.lesson).goals_reached.get(lab.name, ())
        return frozenset(names) & {goal.name for goal in lab.goals}

    async def live(self, lab: AnyLab, now: Set[str], lesson: Lesson | None) -> str | None:
        """Goals of a lab of `tutor.labs` hold `now`. `lesson` is the one that it was opened from;
        from elsewhere, it counts in the lesson that it belongs to."""
        before = self.kept(lab)
        saving = [
            self._note(lab.name, lab.lesson, goal.name)
            for goal in lab.goals
            if goal.name in now - before
        ]
        if lesson is None:
            with suppress(LessonError):
                lesson = self._find_lesson(lab.lesson)
        embedded = [each for each in lesson.labs if each.live == lab.name] if lesson else []
        for each in embedded:
            if lesson and (said := await self.stepped(lesson, each, Evidence(live=before | now))):
                return said
        if not saving or not await on_disk(saving[-1]) or len(self.kept(lab)) < len(lab.goals):
            return None
        return "All goals of this lab are reached."

    def _note(self, lab: str, lesson: str, goal: str) -> Future[None]:
        return self._progress.record(GoalReached(at=time.time(), lab=lab, lesson=lesson, goal=goal))


def reached(lab: Lab, state: LessonState) -> frozenset[int]:
    """The places in `lab.goals` that were reached so far."""
    names = state.goals_reached.get(lab.id, ())
    return frozenset(place for place, goal in enumerate(lab.goals) if goals.name(goal) in names)
