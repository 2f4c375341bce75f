"""Markdown that reads well as it is, and that takes any text as text."""

import re
from collections.abc import Iterator, Sequence

from tutor.text import safe

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table whose columns are aligned; cells are Markdown already."""
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for number, row in enumerate((heading, *rows)):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


def plain(text: str) -> str:
    """Text that Markdown takes as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", safe(text).replace("\n", " "))
