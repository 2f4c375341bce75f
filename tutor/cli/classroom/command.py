"""Implement `tutor class`, which shows teachers how a class is doing and sets due dates."""

import argparse
from pathlib import Path
from typing import Any

from tutor.cli.classroom import assign as class_assign
from tutor.cli.classroom import report as class_report
from tutor.language import _


def add_to(commands: Any, for_learner: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("class", help=_("for teachers: class reports and due dates"))
    actions = parser.add_subparsers(title=_("commands"), metavar="COMMAND", required=True)
    _add_report(actions, for_learner)
    _add_assign(actions, for_learner)


def _add_report(actions: Any, for_learner: argparse.ArgumentParser) -> None:
    report = actions.add_parser(
        "report",
        parents=[for_learner],
        help=_("show a class's progress, which ideas it knows, and common mistakes"),
        description=_(
            "Show how far each learner has come, how well the class knows each idea, and "
            "which questions are answered wrong most often. Learners appear under pseudonyms, and "
            "their folders are not changed. docs/class.md explains each figure."
        ),
    )
    report.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help=_(
            "a learner's folder, a folder of learners, a data folder, or a folder of data folders "
            "(default: every learner on this machine whose progress you can read)"
        ),
    )
    report.add_argument(
        "--names", action="store_true", help=_("show learners' names instead of pseudonyms")
    )
    report.add_argument(
        "--mine", action="store_true", help=_("show exactly what a teacher sees about you")
    )
    report.add_argument(
        "--table",
        choices=class_report.TABLES,
        help=_("print only this table (default with --csv: learners)"),
    )
    report.add_argument(
        "--all", action="store_true", help=_("show all ideas and questions, not just ten of each")
    )
    forms = report.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help=_("print one table for a spreadsheet"))
    forms.add_argument("--markdown", action="store_true", help=_("print Markdown"))
    forms.add_argument("--json", action="store_true", help=_("print JSON, for other programs"))
    report.set_defaults(run=class_report.run)


def _add_assign(actions: Any, for_learner: argparse.ArgumentParser) -> None:
    assign = actions.add_parser(
        "assign",
        parents=[for_learner],
        help=_("set the due dates of lessons"),
        description=_(
            "Set the due date of a lesson. Everyone on this machine sees the date on the "
            "course map until they have done the lesson."
        ),
    )
    assign.add_argument("lesson", nargs="?", metavar="LESSON", help=_("the lesson's id or number"))
    what = assign.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--due",
        metavar="DATE",
        help=_("a date such as 2026-11-27 (the end of that day) or 2026-11-27T18:00"),
    )
    what.add_argument(
        "--list", action="store_true", help=_("list the lessons that have a due date")
    )
    what.add_argument("--remove", metavar="LESSON", help=_("remove the due date of this lesson"))
    assign.add_argument(
        "--class-file",
        type=Path,
        metavar="FILE",
        help=_("use this file instead of the one that everyone on this machine sees"),
    )
    assign.set_defaults(run=class_assign.run)
