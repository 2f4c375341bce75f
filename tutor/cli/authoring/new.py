"""Implement `tutor new`, which writes a skeleton lesson for an author to complete."""

import argparse
from pathlib import Path
from typing import Any

from tutor.cli import output
from tutor.cli.learning import course_folder
from tutor.language import _


def add_to(commands: Any, for_course: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("new", help=_("write a skeleton lesson of your own"))
    kinds = parser.add_subparsers(title=_("what"), metavar="WHAT", required=True)
    lesson = kinds.add_parser(
        "lesson",
        parents=[for_course],
        help=_("write a skeleton lesson"),
        description=_(
            "Write a skeleton lesson that you can preview at once. The file goes into "
            "the folder set with --course (default: the current folder)."
        ),
    )
    lesson.add_argument(
        "id", metavar="ID", help=_("the lesson's id: lowercase letters, digits and hyphens")
    )
    lesson.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.authoring.skeleton import new_lesson

    folder = course_folder(options) or Path()
    file = new_lesson(options.id, folder)
    output.write(_("Wrote {file}. Open it with `tutor preview {file}`.").format(file=file))
    return 0
