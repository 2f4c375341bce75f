"""Lay out a table as plain text that fits the width of the terminal."""

from collections.abc import Iterator
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from tutor.app.widgets.figures import fit
from tutor.classroom.tables import Column, Table
from tutor.language import _

_GAP = 2


def lines(table: Table, width: int) -> Iterator[str]:
    """Yield the lines of the table, each at most `width` cells wide if possible.

    If the table is too wide, its columns are narrowed first. If this is not enough, the least
    important columns are left out, and a line below the table names them.
    """
    shown = _chosen(table, width)
    widths = _shrunk(table, shown, width)
    heading = tuple(column.title for column in table.columns)
    for row in (heading, *table.rows):
        cells = [_folded(row[at], table.columns[at], widths[at]) for at in shown]
        for line in zip_longest(*cells, fillvalue=""):
            parts = zip(line, shown, strict=True)
            aligned = (_aligned(part, table.columns[at], widths[at]) for part, at in parts)
            yield (" " * _GAP).join(aligned).rstrip()
    if gone := [column.title for at, column in enumerate(table.columns) if at not in shown]:
        yield from _wrapped(
            _("(Columns that did not fit: {items}.)").format(items=", ".join(gone)), width
        )


def _folded(cell: str, column: Column, width: int) -> list[str]:
    """Return the lines of a cell, wrapped if its column allows it."""
    if not column.wrap or cell_len(cell) <= width:
        return [cell]
    return _wrapped(cell, width)


def _wrapped(text: str, width: int) -> list[str]:
    return [line.plain.rstrip() for line in Text(text).wrap(Console(), width)]


def _aligned(part: str, column: Column, width: int) -> str:
    shown = fit(part, min(width, cell_len(part)))
    room = " " * (width - cell_len(shown))
    return room + shown if column.right else shown + room


def _natural(table: Table, at: int) -> int:
    cells = (row[at] for row in table.rows)
    return max(map(cell_len, (table.columns[at].title, *cells)))


def _least(table: Table, at: int) -> int:
    return min(_natural(table, at), table.columns[at].least or _natural(table, at))


def _chosen(table: Table, width: int) -> list[int]:
    """Return the indexes of the most important columns that fit."""
    shown = list(range(len(table.columns)))
    while sum(_least(table, at) + _GAP for at in shown) - _GAP > width:
        last = max(shown, key=lambda at: table.columns[at].rank)
        if table.columns[last].rank == 0:
            break
        shown.remove(last)
    return shown


def _shrunk(table: Table, shown: list[int], width: int) -> dict[int, int]:
    """Return the widths of the visible columns, by index. The widest columns are narrowed first."""
    widths = {at: _natural(table, at) for at in shown}
    least = {at: _least(table, at) for at in shown}
    missing = sum(widths.values()) + _GAP * (len(shown) - 1) - width
    for __ in range(missing):
        can = [at for at in shown if widths[at] > least[at]]
        if not can:
            break
        widths[max(can, key=lambda at: widths[at])] -= 1
    return widths
