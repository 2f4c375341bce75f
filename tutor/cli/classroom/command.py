"""`tutor class`: what a teacher sees of a class, and what is due for it."""

import argparse
from pathlib import Path
from typing import Any

from tutor.cli.classroom import assign as class_assign
from tutor.cli.classroom import report as class_report


def add_to(commands: Any, for_learner: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("class", help="for teachers: how a class gets on, what is due")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_report(actions, for_learner)
    _add_assign(actions, for_learner)


def _add_report(actions: Any, for_learner: argparse.ArgumentParser) -> None:
    report = actions.add_parser(
        "report",
        parents=[for_learner],
        help="who is where, how well ideas are known, what is got wrong",
        description="Who is where, how well each idea is known, and the questions that most get "
        "wrong. Learners stand under pseudonyms; nothing in their folders is changed. "
        "docs/class.md says what each figure is.",
    )
    report.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="a learner's folder, one of learners, a data folder, or a folder of data folders "
        "(default: every learner on this machine whose progress you may read)",
    )
    report.add_argument("--names", action="store_true", help="names in place of pseudonyms")
    report.add_argument(
        "--mine", action="store_true", help="exactly what a teacher sees of you, and no more"
    )
    report.add_argument(
        "--table", choices=class_report.TABLES, help="only this table (with --csv: learners)"
    )
    report.add_argument("--all", action="store_true", help="every idea and question, not only ten")
    forms = report.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="one table for a spreadsheet")
    forms.add_argument("--markdown", action="store_true", help="as Markdown")
    forms.add_argument("--json", action="store_true", help="as JSON, for other programs")
    report.set_defaults(run=class_report.run)


def _add_assign(actions: Any, for_learner: argparse.ArgumentParser) -> None:
    assign = actions.add_parser(
        "assign",
        parents=[for_learner],
        help="say which lesson is due when",
        description="Says which lesson is due when: everybody's course map on this machine shows "
        "it until the lesson is done.",
    )
    assign.add_argument("lesson", nargs="?", metavar="LESSON", help="its id or its number")
    what = assign.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--due", metavar="DATE", help="2026-11-27 (the end of that day), or 2026-11-27T18:00"
    )
    what.add_argument("--list", action="store_true", help="what is due")
    what.add_argument("--remove", metavar="LESSON", help="it is due no longer")
    assign.add_argument(
        "--class-file",
        type=Path,
        metavar="FILE",
        help="another file than the one that everybody's tutor on this machine reads",
    )
    assign.set_defaults(run=class_assign.run)
