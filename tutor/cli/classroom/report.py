"""Implement `tutor class report`, which shows each learner's progress and common mistakes."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tutor import paths
from tutor.classroom.errors import PseudonymError
from tutor.cli import learning, output
from tutor.errors import UsageError
from tutor.language import _

if TYPE_CHECKING:
    from tutor.classroom.folders import Found
    from tutor.classroom.report import Report
    from tutor.course.catalogue import Course

TABLES = ("learners", "ideas", "questions")


def run(options: argparse.Namespace) -> int:
    if options.mine and (options.folders or options.names or options.table):
        raise UsageError(
            "--mine shows only your own progress.", "Leave out the folders, --names and --table."
        )
    course = learning.course_of(options)
    return _run_mine(options, course) if options.mine else _run_class(options, course)


def _run_mine(options: argparse.Namespace, course: Course) -> int:
    from tutor.classroom.mine import YOU, explained
    from tutor.classroom.reading import studied_of
    from tutor.classroom.report import report

    progress = learning.progress_of(options)
    mine = studied_of(YOU, course, progress)
    _print(report(course, [mine]), options, TABLES[:1])
    if not (options.csv or options.json):
        width = shutil.get_terminal_size().columns
        for paragraph in explained(mine):
            output.write("\n" + textwrap.fill(paragraph, width))
    learning.complain_of(progress)
    return 0


def _run_class(options: argparse.Namespace, course: Course) -> int:
    from tutor.classroom.folders import Search
    from tutor.classroom.reading import read_class
    from tutor.classroom.report import report
    from tutor.learner.clock import now

    search = Search(paths.learners_within(learning.course_folder(options)))
    for folder in options.folders:
        search.look(folder)
    if not options.folders:
        search.look_everywhere()
    class_ = read_class(course, search.found, _namer(options), now)
    tables = (options.table,) if options.table else TABLES
    _print(report(course, class_.learners), options, tables)
    for each in (*search.unread, *class_.unread):
        output.note(f"! {each.where} {each.why}")
    return 0


def _namer(options: argparse.Namespace) -> Callable[[Found], str]:
    """Return a function that maps a learner's folder to the name in the report.

    The name is a pseudonym unless `--names` is set. If the key for the pseudonyms can't be stored,
    this report uses a temporary key.
    """
    from tutor.classroom.pseudonyms import kept_key, new_key, pseudonym

    if options.names:
        return lambda found: found.name
    try:
        key = kept_key(paths.pseudonyms_key())
    except PseudonymError as error:
        output.complain(error)
        output.note(
            _(
                "The pseudonyms in this report are temporary. The next report will use different "
                "ones."
            )
        )
        key = new_key()
    return lambda found: pseudonym(key, found.folder)


def _print(report: Report, options: argparse.Namespace, tables: Sequence[str]) -> None:
    from tutor.cli.classroom import report_forms as forms

    if options.json:
        output.write_json(report)
    elif options.csv:
        output.write(forms.as_csv(report, tables[0]))
    else:
        draw = forms.as_markdown if options.markdown else forms.as_text
        output.write("\n".join(forms.page(report, tables, draw, every=options.all)))
