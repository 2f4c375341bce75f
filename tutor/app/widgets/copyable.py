"""The interface of widgets and screens from which text can be copied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable


class Copy(NamedTuple):
    """A piece of text that can be copied, and a name that completes the sentence “Copied …”."""

    what: str
    text: str


@runtime_checkable
class Copyable(Protocol):
    """A widget or screen that yields what can be copied from it, the most useful first."""

    def copies(self) -> Iterable[Copy]: ...


def row_copy(line: str) -> Copy:
    """Return the text of a row, with at most two spaces between its columns."""
    return Copy(_("the selected row"), re.sub(r" {2,}", "  ", line.strip()))
