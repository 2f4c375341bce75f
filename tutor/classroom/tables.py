"""Lay out the tables of a class report.

Both `tutor class report` and its `--mine` option use this module, so a learner sees exactly the
same row as the teacher.
"""

from collections.abc import Iterable

import msgspec

from tutor.classroom.learner import Row
from tutor.classroom.report import IdeaFigures, QuestionFigures
from tutor.study.memory_words import RECALL, STRENGTH, lasting, percent
from tutor.text import one_line


class Column(msgspec.Struct, frozen=True):
    """A column of a table.

    `least` is the minimum width in cells if the column can shrink, or 0 if it can't. Text that
    doesn't fit is cut off, or wrapped if `wrap` is set. If the table is too wide, the columns with
    the highest `rank` are removed first.
    """

    title: str
    right: bool = False
    least: int = 0
    wrap: bool = False
    rank: int = 0


class Table(msgspec.Struct, frozen=True):
    """A table. Each row has one cell per column. A cell is one line that is safe to print."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


def learners_table(rows: Iterable[Row]) -> Table:
    columns = (
        Column("Learner", least=9),
        Column("Lesson", least=6),
        Column("Screen"),
        Column("Last day"),
        Column("Right", right=True, rank=3),
        Column(RECALL, right=True, rank=2),
        Column(STRENGTH, right=True, rank=1),
    )
    return Table(columns, tuple(map(_of_learner, rows)))


def _of_learner(row: Row) -> tuple[str, ...]:
    lesson = "not started" if row.number is None else f"{row.number} {row.title}"
    return (
        one_line(row.name),
        one_line(lesson),
        row.place,
        row.last_day.isoformat() if row.last_day else "",
        f"{row.right} of {row.answered}" if row.answered else "",
        *_memory(row.recall, row.strength),
    )


def _memory(recall: float | None, strength: float | None) -> tuple[str, str]:
    """Return the cells for these figures, or empty cells if there are no figures."""
    return (
        "" if recall is None else percent(recall),
        "" if strength is None else lasting(strength),
    )


def ideas_table(ideas: Iterable[IdeaFigures]) -> Table:
    columns = (
        Column("Idea", least=12, wrap=True),
        Column("Learners", right=True, rank=1),
        Column("Right", right=True),
        Column(RECALL, right=True),
        Column(STRENGTH, right=True),
    )
    rows = (
        (
            one_line(f"{each.number} {each.title}"),
            str(each.learners),
            percent(each.right),
            *_memory(each.recall, each.strength),
        )
        for each in ideas
    )
    return Table(columns, tuple(rows))


def questions_table(questions: Iterable[QuestionFigures]) -> Table:
    columns = (
        Column("Question", least=16, wrap=True),
        Column("Wrong", right=True),
        Column("of", right=True, rank=2),
        Column("Most common mistake", least=12, wrap=True, rank=1),
        Column("by", right=True, rank=3),
    )
    rows = (
        (
            one_line(f"{each.number} {each.asks or each.question}"),
            percent(each.share),
            str(each.learners),
            one_line(each.mistake),
            str(each.alike or ""),
        )
        for each in questions
    )
    return Table(columns, tuple(rows))
