"""Find the assigned lessons that a learner has not completed, and describe their due dates.

All days are in local time.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tutor.classroom import assignments
from tutor.classroom.errors import ClassFileError
from tutor.course.catalogue import Course
from tutor.language import _
from tutor.learner.clock import WEEKDAYS
from tutor.learner.store import ProgressStore
from tutor.study.lesson_progress import lesson_progress

_MOST_NAMED = 5
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d)?", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class LessonDue(msgspec.Struct, frozen=True):
    """A lesson with a due date that the learner has not completed."""

    lesson: str
    number: int
    title: str
    due: datetime
    overdue: bool


class Status(msgspec.Struct, frozen=True):
    """The output of `tutor status --json`.

    `reviews` is the number of questions to review today, and `over_limit` is the number of other
    questions that are due but exceed the daily limits. `lessons` are the lessons with a due date
    that the learner has not completed.
    """

    reviews: int
    lessons: tuple[LessonDue, ...]
    over_limit: int = 0


class Duties(msgspec.Struct, frozen=True):
    """The lessons that the learner still has to complete, by id, and any problems.

    The lessons are sorted by due time. The problems are errors in the class file.
    """

    lessons: Mapping[str, LessonDue] = {}
    problems: tuple[ClassFileError, ...] = ()


def duties(path: Path, course: Course, progress: ProgressStore[Any], now: float) -> Duties:
    """Return the lessons in the class file at `path` that the learner has not completed."""
    try:
        asked = assignments.read(path)
    except ClassFileError as problem:
        return Duties(problems=(problem,))
    learner = progress.state()
    due: dict[str, LessonDue] = {}
    unknown: list[str] = []
    for each in asked:
        outline = course.outline(each.lesson)
        if outline is None:
            unknown.append(each.lesson)
            continue
        if not lesson_progress(outline, learner.lesson(outline.id), learner.cards).done:
            overdue = each.due.timestamp() < now
            due[outline.id] = LessonDue(
                outline.id, outline.number, outline.title, each.due, overdue
            )
    # The file may be meant for another course, which is not an error.
    another = len(unknown) == len(asked)
    return Duties(due, () if another else (unknown_lessons(unknown),)) if unknown else Duties(due)


def unknown_lessons(names: Sequence[str]) -> ClassFileError:
    """Return an error that names lessons in the class file that are missing from the course."""
    shown = ", ".join(names[:_MOST_NAMED])
    more = (
        _(" and {count} more").format(count=len(names) - _MOST_NAMED)
        if len(names) > _MOST_NAMED
        else ""
    )
    return ClassFileError(
        _("These lessons are due but missing from this course: {shown}{more}.").format(
            shown=shown, more=more
        ),
        "A newer version of tutor may include them. Update tutor, or ask your teacher.",
    )


# --- in words -------------------------------------------------------------------------------------


def in_words(due: LessonDue, now: float) -> str:
    """Return text such as "due Fri 27 Nov" or "overdue since Fri 27 Nov"."""
    return f"{_('overdue since') if due.overdue else _('due')} {day(due.due, now)}"


def on_the_map(due: LessonDue, now: float) -> str:
    """Return text such as "due Fri 27 Nov" or "overdue, 27 Nov", to show next to a title."""
    return (
        _("overdue, {date}").format(date=_date(due.due))
        if due.overdue
        else _("due {day}").format(day=day(due.due, now))
    )


def in_few_words(due: LessonDue) -> str:
    """Return text such as "due 27 Nov", or only "overdue"."""
    return _("overdue") if due.overdue else _("due {date}").format(date=_date(due.due))


def _date(due: datetime) -> str:
    local = due.astimezone()
    return f"{local.day} {_MONTHS[local.month - 1]}"


def day(due: datetime, now: float) -> str:
    """Return text such as "Fri 27 Nov", with the year if it is not the current year.

    The time is included unless it is the end of the day.
    """
    local, today = due.astimezone(), datetime.fromtimestamp(now)
    said = f"{_(WEEKDAYS[local.weekday()])} {_date(due)}"
    if local.year != today.year:
        said += f" {local.year}"
    if (local + timedelta(minutes=1)).date() == local.date():
        said += f" {local:%H:%M}"
    return said


def moment(text: str) -> datetime:
    """Convert "2026-11-27" (the end of that day) or "2026-11-27 18:00" to a local time.

    Raises `ValueError`.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"{text[:30]!r} is not a date such as 2026-11-27 or 2026-11-27T18:00")
    found = datetime.fromisoformat(text)
    if ":" not in text:
        found = found.replace(hour=23, minute=59, second=59)
    return found.astimezone()
