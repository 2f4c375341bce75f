"""Open the course and the progress that the command-line options select."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tutor import language, paths
from tutor.cli import output
from tutor.errors import UsageError
from tutor.language import _

if TYPE_CHECKING:
    from tutor.course.catalogue import Course
    from tutor.learner.progress import Progress
    from tutor.learner.review import Limits


def progress_of(options: argparse.Namespace) -> Progress:
    from tutor.learner.progress import Progress

    progress = Progress.open(paths.learner_folder(options.learner, course_folder(options)))
    progress.check()
    return progress


def limits_of(options: argparse.Namespace, progress: Progress) -> Limits:
    """Return the learner's limits for reviews, and the desired retention."""
    from tutor.learner import review

    return review.limits(progress.setting, options.settings.settings.review)


def course_of(options: argparse.Namespace) -> Course:
    from tutor.course.catalogue import load_course

    return load_course(course_folder(options), language=language.preferred())


def course_folder(options: argparse.Namespace) -> Path | None:
    """Return the folder that `--course` names, or None for the bundled course.

    Raises `UsageError`.
    """
    folder: Path | None = options.course
    if folder is not None and not folder.is_dir():
        raise UsageError(
            _("{folder!r} is not a folder.").format(folder=str(folder)),
            "Set --course to a folder of lesson files.",
        )
    return folder


def complain_of(progress: Progress) -> None:
    """Print the notices about the learner's repaired files."""
    for notice in progress.notices:
        output.complain(notice)
