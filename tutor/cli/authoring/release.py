"""Implement `tutor release`, which records the published versions of lessons and questions."""

import argparse
from typing import Any

from tutor import paths
from tutor.cli import output
from tutor.cli.learning import course_folder
from tutor.language import _
from tutor.text import counted


def add_to(commands: Any, for_course: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "release",
        parents=[for_course],
        help=_("record the published versions of lessons and questions"),
        description=_(
            "Record the published versions of lessons and questions in released.json, "
            "next to the lessons. From then on, `tutor lint` reports a lesson or question that "
            "changed while its version did not."
        ),
    )
    parser.add_argument(
        "--same",
        nargs="+",
        default=[],
        metavar="ID",
        help=_("ids of lessons or questions that were only reworded"),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Record the release and return 0, or return 1 if a lesson has an error."""
    from tutor.authoring.lint import look_over
    from tutor.authoring.release import read_release, write_release

    folder = course_folder(options) or paths.lessons_folder()
    release = read_release(folder)
    report = look_over([folder], reworded=frozenset(options.same))
    errors = [finding for finding in report.findings if finding.level == "error"]
    for finding in errors:
        output.write(str(finding))
    if errors:
        return 1
    now = release.after(sound.lesson for sound in report.lessons if not sound.translation)
    file = write_release(folder, now)
    lessons, questions = (
        counted(len(now.lessons), "lesson"),
        counted(len(now.questions), "question"),
    )
    output.write(f"{lessons}, {questions}: {file}")
    return 0
