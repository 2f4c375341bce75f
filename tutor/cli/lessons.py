"""Implement `tutor lessons`, which lists the lessons in a course."""

import argparse
from typing import Any

from tutor.cli import output
from tutor.cli.learning import course_of
from tutor.language import _
from tutor.text import counted


def add_to(commands: Any, for_course: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("lessons", parents=[for_course], help=_("list the lessons"))
    parser.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from tutor.course.catalogue import course_summary

    course = course_of(options)
    summaries = course_summary(course)
    if options.json:
        output.write_json(summaries)
    else:
        for lesson in summaries:
            output.write(
                f"{lesson.number:2}  {lesson.title}  ({counted(lesson.screens, 'screen')}, "
                f"{counted(lesson.predictions, 'prediction')}, {counted(len(lesson.labs), 'lab')}, "
                f"{counted(lesson.questions, 'question')})"
            )
    for problem in course.problems:
        output.complain(problem)
    return 1 if course.problems else 0
