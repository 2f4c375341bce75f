"""Read the progress of a class, one learner after another, without changing any folders."""

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

_NEWER = "used a newer version of tutor, so some data may be missing here"
_DAMAGED = "has damaged progress files; only the readable part counts"


class Class(msgspec.Struct, frozen=True):
    """The learners whose progress was read, and the problems that occurred."""

    learners: tuple[Studied, ...]
    unread: tuple[Unread, ...]


def read_class(course: Course, found: Iterable[Found], name: Namer, clock: Clock) -> Class:
    """Read the progress of all learners in `found`.

    `name` returns the name to show for a learner. If the progress of a learner can't be read, the
    problem names the learner's folder. If only part of it can be read, the problem names the
    learner.
    """
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
            left_out.append(unread(each.folder, f"was skipped: {why}"))
        else:
            if problem := _problem(progress.notices):
                left_out.append(Unread(called, problem))
    return Class(tuple(learners), tuple(left_out))


def studied_of(name: str, course: Course, progress: Progress) -> Studied:
    """Return the data about one learner for a report. Raises `StoreError`."""
    return studied(name, course, progress.state(), progress.events(), progress.clock())


def _problem(notices: Sequence[TutorError]) -> str:
    """Describe the problem for the teacher, because the notices are written for the learner.

    The result is empty if there are no notices.
    """
    if any(isinstance(notice, StoreNewer) for notice in notices):
        return _NEWER
    return _DAMAGED if notices else ""
