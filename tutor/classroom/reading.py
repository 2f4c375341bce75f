"""Reads the learners of a class, one after the other, without a trace in their folders."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from tutor.classroom.folders import LONGEST_PATH, Found, Unread, unread
from tutor.classroom.learner import Studied, studied
from tutor.course.catalogue import Course
from tutor.errors import StoreError, TutorError
from tutor.learner.clock import Clock
from tutor.learner.errors import StoreNewer
from tutor.learner.progress import Progress
from tutor.learner.snapshot import snapshot
from tutor.text import one_line

Namer = Callable[[Found], str]

_NEWER = "is from a newer version of tutor, which may tell more"
_DAMAGED = "is damaged in part; what can be read counts"


class Class(msgspec.Struct, frozen=True):
    """The learners that could be read, and what was not as it should be."""

    learners: tuple[Studied, ...]
    unread: tuple[Unread, ...]


def read_class(course: Course, found: Iterable[Found], name: Namer, clock: Clock) -> Class:
    """Everybody in `found`, called as `name` says. Whoever cannot be read is named by folder,
    whoever can be read in part by that name."""
    learners: list[Studied] = []
    left_out: list[Unread] = []
    for each in found:
        called = name(each)
        try:
            with snapshot(each.folder) as folder:
                progress = Progress.open(folder, clock=clock)
                learners.append(studied_of(called, course, progress))
        except StoreError as error:
            why = one_line(error.happened, LONGEST_PATH)
            left_out.append(unread(each.folder, f"is left out: {why}"))
        else:
            if problem := _problem(progress.notices):
                left_out.append(Unread(called, problem))
    return Class(tuple(learners), tuple(left_out))


def studied_of(name: str, course: Course, progress: Progress) -> Studied:
    """What a report takes from one learner's progress. Raises `StoreError`."""
    return studied(name, course, progress.state(), progress.events(), progress.clock())


def _problem(notices: Sequence[TutorError]) -> str:
    """In words for a teacher: a notice speaks to the learner, and names the copy."""
    if any(isinstance(notice, StoreNewer) for notice in notices):
        return _NEWER
    return _DAMAGED if notices else ""
