"""`tutor new`: a file to begin with, for those who write lessons."""

import argparse
from pathlib import Path
from typing import Any

from tutor.cli import output
from tutor.cli.learning import course_folder


def add_to(commands: Any, for_course: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("new", help="begin a lesson of your own")
    kinds = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    lesson = kinds.add_parser(
        "lesson",
        parents=[for_course],
        help="write a lesson to begin with",
        description="Write a lesson that can be opened as it is, into the folder that --course"
        " names, or into the present one.",
    )
    lesson.add_argument("id", metavar="ID", help="small letters, digits and hyphens")
    lesson.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.authoring.skeleton import new_lesson

    folder = course_folder(options) or Path()
    file = new_lesson(options.id, folder)
    output.write(f"{file} is written. See it with `tutor preview {file}`.")
    return 0
