"""Which goals of a lab are reached, and the moment when the last one is."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

from tutor.course.goals import Evidence, goals_reached
from tutor.course.lesson import Lab
from tutor.learner.records import GoalReached, LogEvent


class LabGoals:
    """Goals are reached one by one over a session, in any order; a lab is done once, when all of
    them are. `record` saves an event and says whether that worked."""

    def __init__(self, record: Callable[[LogEvent], bool]) -> None:
        self._record = record
        self._reached: defaultdict[str, frozenset[int]] = defaultdict(frozenset)

    def reached(self, lab: Lab) -> frozenset[int]:
        """The places in `lab.goals` that were reached in this session."""
        return self._reached[lab.id]

    def step(self, lesson_id: str, lab: Lab, evidence: Evidence, *, done: bool) -> str | None:
        """Take note of one thing the learner did. Returns what to say when that completed the
        lab, which it does only if it is not `done` already."""
        before = self._reached[lab.id]
        after = goals_reached(lab, evidence, before)
        self._reached[lab.id] = after
        if done or not lab.goals or len(after) < len(lab.goals):
            return None
        return self.finish(lesson_id, lab, done=done)

    def finish(self, lesson_id: str, lab: Lab, *, done: bool) -> str | None:
        """The lab is done. Returns what to say, the first time."""
        if done or not self._record(GoalReached(at=time.time(), lab=lab.id, lesson=lesson_id)):
            return None
        return lab.done
