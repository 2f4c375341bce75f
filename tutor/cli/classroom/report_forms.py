"""Format a class report as plain text, Markdown or CSV."""

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from tutor.classroom.learner import Row
from tutor.classroom.report import FEWEST, IdeaFigures, QuestionFigures, Report
from tutor.classroom.tables import Table, ideas_table, learners_table, questions_table
from tutor.cli import markdown, text_table
from tutor.language import _
from tutor.text import counted, one_line

SHOWN = 10
"""The maximum number of ideas, and of questions, in a report without `--all`."""

Draw = Callable[[str, Table], Iterator[str]]
"""A function that takes a title and a table, and yields the lines to print."""

_RECORDS: dict[str, type[msgspec.Struct]] = {
    "learners": Row,
    "ideas": IdeaFigures,
    "questions": QuestionFigures,
}
_FORMULA = ("=", "+", "-", "@")
"""The characters at the beginning of a cell that make a spreadsheet treat it as a formula."""


def page(report: Report, tables: Sequence[str], draw: Draw, *, every: bool) -> Iterator[str]:
    """Yield the lines of the named tables. If `every` is set, include all ideas and questions."""
    if not report.learners:
        yield _("No learner's progress could be read.")
        return
    most = None if every else SHOWN
    parts: list[list[str]] = []
    if "learners" in tables:
        title = counted(len(report.learners), "learner")
        parts.append([*draw(title, learners_table(report.learners))])
    if "ideas" in tables:
        title = _titled(_("Ideas, lowest strength first"), len(report.ideas), most)
        lines = draw(title, ideas_table(report.ideas[:most]))
        parts.append([*lines, *_left_out("idea", report.ideas_left_out)])
    if "questions" in tables:
        title = _titled(_("Questions, most often wrong first"), len(report.questions), most)
        lines = draw(title, questions_table(report.questions[:most]))
        parts.append([*lines, *_left_out("question", report.questions_left_out)])
    for number, part in enumerate(parts):
        yield from ("", *part) if number else part


def _titled(title: str, there: int, most: int | None) -> str:
    return (
        title
        if most is None or there <= most
        else _("{title} ({most} of {there})").format(title=title, most=most, there=there)
    )


def _left_out(what: str, number: int) -> Iterable[str]:
    if not number:
        return ()
    are = "is" if number == 1 else "are"
    return (
        "",
        _("{counted} {are} left out because fewer than {fewest} learners have answered.").format(
            counted=counted(number, what), are=are, fewest=FEWEST
        ),
    )


def as_text(title: str, table: Table) -> Iterator[str]:
    yield title
    if table.rows:
        yield from ("", *text_table.lines(table, shutil.get_terminal_size().columns))


def as_markdown(title: str, table: Table) -> Iterator[str]:
    yield f"## {title}"
    if table.rows:
        rows = [tuple(map(markdown.plain, row)) for row in table.rows]
        yield from ("", *markdown.table([column.title for column in table.columns], rows))


def as_csv(report: Report, name: str) -> str:
    """Return the table `name` as CSV, with a header row and one row for each record."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_RECORDS[name].__struct_fields__)
    for record in getattr(report, name):
        writer.writerow(map(_for_spreadsheet, msgspec.structs.astuple(record)))
    return text.getvalue().rstrip("\n")


def _for_spreadsheet(value: object) -> object:
    """Quote text that a spreadsheet would treat as a formula. Return other values unchanged."""
    if not isinstance(value, str):
        return value
    shown = one_line(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
