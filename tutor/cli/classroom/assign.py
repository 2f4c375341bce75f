"""Implement `tutor class assign`, which sets the due dates of lessons."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import paths
from tutor.cli import learning, output
from tutor.errors import UsageError
from tutor.language import _

if TYPE_CHECKING:
    from tutor.classroom.assignments import Assignment
    from tutor.course.catalogue import Course
    from tutor.course.outline import Outline


def run(options: argparse.Namespace) -> int:
    from tutor.classroom import assignments

    if (options.lesson is None) == (options.due is not None):
        raise UsageError(
            "LESSON is required with --due, and not allowed without it.",
            "For example: tutor class assign tokens --due 2026-11-27",
        )
    file: Path = options.class_file or paths.class_file()
    course, known = learning.course_of(options), assignments.read(file)
    if options.list:
        _list(known, course)
    elif options.remove is not None:
        _remove(options.remove, file, known, course)
    else:
        _assign(options.lesson, options.due, file, course)
    return 0


def _assign(name: str, date: str, file: Path, course: Course) -> None:
    from tutor.classroom import assignments
    from tutor.classroom.due import day, moment

    outline, now = _lesson(name, course), time.time()
    try:
        new = assignments.Assignment(outline.id, moment(date))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{error}.", "Write it as --due 2026-11-27 or --due 2026-11-27T18:00"
        ) from None
    assignments.change(
        file, lambda known: (*(each for each in known if each.lesson != outline.id), new)
    )
    output.write(
        _("{number} {title} is due {day}: {file}").format(
            number=outline.number, title=outline.title, day=day(new.due, now), file=file
        )
    )
    if new.due.timestamp() < now:
        output.note(
            _(
                "This date is in the past, so the lesson is overdue for everyone who has not done "
                "it."
            )
        )


def _remove(name: str, file: Path, known: tuple[Assignment, ...], course: Course) -> None:
    """Remove the due date of the lesson whose id or number is `name`.

    If the lesson is no longer in the course, `name` must be its id.
    """
    from tutor.classroom import assignments

    lesson = name if any(each.lesson == name for each in known) else _lesson(name, course).id
    if any(each.lesson == lesson for each in known):
        assignments.change(file, lambda now: (each for each in now if each.lesson != lesson))
        output.write(_("{lesson} is no longer due: {file}").format(lesson=lesson, file=file))
    else:
        output.write(_("{lesson} had no due date, so nothing has changed.").format(lesson=lesson))


def _list(known: tuple[Assignment, ...], course: Course) -> None:
    from tutor.classroom.due import day

    now = time.time()
    for each in known:
        outline = course.outline(each.lesson)
        called = f"{outline.number:>2} {outline.title}" if outline else f" ? {each.lesson}"
        overdue = each.due.timestamp() < now
        said = _("{called}: overdue since {day}") if overdue else _("{called}: due {day}")
        output.write(said.format(called=called, day=day(each.due, now)))
    if not known:
        output.write(_("No lesson has a due date."))
    if unknown := [each.lesson for each in known if course.outline(each.lesson) is None]:
        output.note(_("Not in this course: {items}").format(items=", ".join(unknown)))


def _lesson(name: str, course: Course) -> Outline:
    """Return the lesson with this id or number. Raises `UsageError` if there is none."""
    for outline in course.outlines:
        if name in (outline.id, str(outline.number)):
            return outline
    ids = ", ".join(outline.id for outline in course.outlines[:20])
    raise UsageError(
        _("There is no lesson {name!r} in this course.").format(name=name[:60]),
        _("The lessons are: {ids}").format(ids=ids),
    )
