"""The course and the learner that a command is about."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tutor import paths
from tutor.cli import output

if TYPE_CHECKING:
    from tutor.course.catalogue import Course
    from tutor.learner.progress import Progress


def progress_of(options: argparse.Namespace) -> Progress:
    from tutor.learner.progress import Progress

    return Progress.open(paths.learner_folder(options.learner))


def course_of(options: argparse.Namespace) -> Course:
    from tutor.course.catalogue import load_course

    return load_course()


def complain_of(progress: Progress) -> None:
    """Say what was not as expected about what is stored."""
    for notice in progress.notices:
        output.complain(notice)
