"""Which goals of a lab are reached, and what is to be written down about it. Pure."""

from __future__ import annotations

import time
from collections.abc import Set

from tutor.course import goals
from tutor.course.goals import Evidence
from tutor.course.lesson import Lab
from tutor.labs.registry import AnyLab
from tutor.learner.records import GoalReached, LabDone, LessonState


def reached(lab: Lab, state: LessonState) -> frozenset[int]:
    """The places in `lab.goals` that were reached so far."""
    names = state.goals_reached.get(lab.id, ())
    return frozenset(place for place, goal in enumerate(lab.goals) if goals.name(goal) in names)


def newly_reached(
    lesson_id: str, lab: Lab, evidence: Evidence, state: LessonState
) -> list[GoalReached]:
    """What `evidence` adds to the goals reached before."""
    before = reached(lab, state)
    now = goals.goals_reached(lab, evidence, before) - before
    return [
        GoalReached(at=time.time(), lab=lab.id, lesson=lesson_id, goal=goals.name(lab.goals[place]))
        for place in sorted(now)
    ]


def completed(lesson_id: str, lab: Lab, state: LessonState) -> LabDone | None:
    """The lab is done, for the first time, when all its goals are reached. One without goals is
    done by what it asks for, which its screen knows."""
    if lab.id in state.labs_done or len(reached(lab, state)) < len(lab.goals):
        return None
    return LabDone(at=time.time(), lab=lab.id, lesson=lesson_id)


def goals_of(lab: AnyLab, state: LessonState) -> frozenset[str]:
    """The names of the goals of a lab of `tutor.labs` that were reached so far."""
    return frozenset(state.goals_reached.get(lab.name, ())) & {goal.name for goal in lab.goals}


def goals_events(lab: AnyLab, names: Set[str]) -> list[GoalReached]:
    """What is to be written down when these goals of the lab are reached."""
    return [
        GoalReached(at=time.time(), lab=lab.name, lesson=lab.lesson, goal=goal.name)
        for goal in lab.goals
        if goal.name in names
    ]
