"""Define how a widget says which of its rows is selected, for screen readers."""

from __future__ import annotations

import re
from typing import Protocol, runtime_checkable

from tutor.app.spoken import spoken
from tutor.app.widgets.selection import MARK
from tutor.language import _


@runtime_checkable
class Announced(Protocol):
    """A widget that can say which of its rows is selected."""

    def announcement(self) -> str | None:
        """Return a sentence about the selected row, or None if no row is selected."""
        ...


def row_said(number: int, count: int, line: str) -> str:
    """Return a sentence about a row, whose columns are separated by spaces in `line`."""
    cells = (spoken(cell) for cell in re.split(r"\s{2,}", line.strip().removeprefix(MARK)))
    text = ", ".join(filter(None, cells))
    return _("Row {number} of {count}: {text}").format(number=number, count=count, text=text)
