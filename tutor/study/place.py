"""Save the place at which a learner reads a lesson."""

import msgspec

from tutor.course.lesson import Lesson
from tutor.learner.records import LessonRead
from tutor.learner.store import ProgressStore, Saved


def save_place(progress: ProgressStore[Saved], lesson: Lesson, screen: str) -> None:
    """Save that the learner now reads the screen with the id `screen`.

    After the last screen that they had not seen yet, the whole lesson counts as read.
    """
    state, now = progress.lesson(lesson.id), progress.clock()
    seen = state.seen if screen in state.seen else (*state.seen, screen)
    progress.save_lesson(msgspec.structs.replace(state, screen=screen, seen=seen, visited_at=now))
    if not state.read and {each.id for each in lesson.screens} <= set(seen):
        progress.record(LessonRead(at=now, lesson=lesson.id))
