"""Write Markdown tables that are also readable as plain text, and escape text for Markdown."""

import re
from collections.abc import Iterator, Sequence

from tutor.text import safe

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table with aligned columns. The cells must be valid Markdown."""
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    for number, row in enumerate((heading, *rows)):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


def plain(text: str) -> str:
    """Return `text` on one line, with all Markdown syntax escaped."""
    return _SPECIAL.sub(r"\\\1", safe(text).replace("\n", " "))
