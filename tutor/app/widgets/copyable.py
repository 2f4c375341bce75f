"""Define how a widget or a screen offers something to copy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable


class Copy(NamedTuple):
    """A text to copy, and its name, which completes “Copied …”."""

    what: str
    text: str


@runtime_checkable
class Copyable(Protocol):
    """A widget or a screen that has something to copy, the most useful first."""

    def copies(self) -> Iterable[Copy]: ...


def row_copy(line: str) -> Copy:
    """Return a row of a list, without the space between its columns, except for two spaces."""
    return Copy(_("the selected row"), re.sub(r" {2,}", "  ", line.strip()))
