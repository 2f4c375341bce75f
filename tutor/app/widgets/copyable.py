"""The interface of widgets and screens that offer texts to copy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable


class Copy(NamedTuple):
    """A text to copy, and a name for it that completes the sentence “Copied …”."""

    what: str
    text: str


@runtime_checkable
class Copyable(Protocol):
    """A widget or screen that offers texts to copy, the most useful text first."""

    def copies(self) -> Iterable[Copy]: ...


def row_copy(line: str) -> Copy:
    """Return the text of a row, with at most two spaces between its columns."""
    return Copy(_("the selected row"), re.sub(r" {2,}", "  ", line.strip()))
