"""A stylesheet that parses each source only once.

When the first screen of a class adds its own style, Textual parses all sources again. That delays
the screen by 15 ms or more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.css.model import RuleSet

Source = tuple[object, ...]
"""The cache key of a source: everything that determines its rules, apart from the variables."""

SOURCES = 256
"""The maximum number of sources to cache for each theme. This is more than the app has."""


class ParsedOnce(Stylesheet):
    """A stylesheet that caches the rules of each source for as long as the process runs.

    The rules depend only on the source and on the theme's variables, and they do not change after
    parsing. Therefore, all apps in a process share them, which makes tests faster.
    """

    _parsed: ClassVar[dict[frozenset[tuple[str, str]], LRUCache[Source, list[RuleSet]]]] = {}
    """The parsed rules of each source, for each set of variables."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._share(self._variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        self._parse_cache = LRUCache(0)  # Textual clears this empty cache instead of the shared one
        super().set_variables(variables)
        self._share(variables)

    def _share(self, variables: Mapping[str, str]) -> None:
        self._parse_cache = self._parsed.setdefault(frozenset(variables.items()), LRUCache(SOURCES))

    def reparse(self) -> None:
        """Parse the sources that are not in the cache for the current variables."""
        self.parse()
