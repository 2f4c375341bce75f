"""A stylesheet that parses each source once.

Textual parses all sources again when the first screen of a kind adds its own style, which delays
that screen by 15 ms or more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.css.model import RuleSet

Source = tuple[object, ...]
"""What the rules of a source depend on, besides the variables."""

SOURCES = 256
"""The number of sources whose rules are kept for each theme: more than the app has."""


class ParsedOnce(Stylesheet):
    """A stylesheet that keeps the rules of a source for as long as the process runs.

    The rules of a source depend only on its text and on the variables that a theme defines, and
    nothing changes them after parsing. So all apps of a process share them, which matters in tests.
    """

    _parsed: ClassVar[dict[frozenset[tuple[str, str]], LRUCache[Source, list[RuleSet]]]] = {}
    """The rules of each source, for each set of variables."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._share(self._variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        self._parse_cache = LRUCache(0)  # the one that Textual clears
        super().set_variables(variables)
        self._share(variables)

    def _share(self, variables: Mapping[str, str]) -> None:
        self._parse_cache = self._parsed.setdefault(frozenset(variables.items()), LRUCache(SOURCES))

    def reparse(self) -> None:
        """Parse the sources that have not been parsed with the present variables yet."""
        self.parse()
