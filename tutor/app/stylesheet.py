"""A stylesheet that parses each source only once, and matches similar widgets only once.

When the first screen of a class adds its own style, Textual parses all sources again. That delays
the screen by 15 ms or more. Textual also compares each widget with all rules that could apply to
it, again and again while a screen opens. That takes about a sixth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from textual.css.model import RuleSet
    from textual.css.styles import RulesMap

Source = tuple[object, ...]
"""The cache key of a source: everything that determines its rules, apart from the variables."""

SOURCES = 256
"""The maximum number of sources to cache for each theme. This is more than the app has."""

NODES = 4096
"""The maximum number of kinds and of results to cache for each set of sources."""


class Kind(NamedTuple):
    """A group of widgets that have the same type, id and style classes.

    The same rules could apply to all of them.
    """

    pseudo_classes: tuple[str, ...]
    """The pseudo-classes in the selectors of the rules that could apply."""
    hover: bool
    focus_within: bool
    order: bool
    odd_or_even: bool


class Matches:
    """A cache of the rules that apply to widgets, for one set of sources and variables."""

    def __init__(self) -> None:
        self.kinds: dict[Hashable, Kind] = {}
        self.rules: dict[Hashable, RulesMap | None] = {}


class ParsedOnce(Stylesheet):
    """A stylesheet that caches the rules of each source for as long as the process runs.

    The rules depend only on the source and on the theme's variables, and they do not change after
    parsing. Therefore, all apps in a process share them, which makes tests faster.
    """

    _parsed: ClassVar[dict[frozenset[tuple[str, str]], LRUCache[Source, list[RuleSet]]]] = {}
    """The parsed rules of each source, for each set of variables."""
    _matched: ClassVar[LRUCache[Source, Matches]] = LRUCache(64)
    """The matches for each set of variables and sources."""
    _EXCLUDE_PSEUDO_CLASSES_FROM_CACHE: ClassVar[set[str]] = set()  # type: ignore[misc]
    """Empty, because the key in `apply` includes all pseudo-classes. Textual's key lacks these."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._matches = Matches()
        self._share(self._variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        self._parse_cache = LRUCache(0)  # Textual clears this empty cache instead of the shared one
        super().set_variables(variables)
        self._share(variables)

    def _share(self, variables: Mapping[str, str]) -> None:
        self._parse_cache = self._parsed.setdefault(frozenset(variables.items()), LRUCache(SOURCES))

    def parse(self) -> None:
        """Parse the sources that are not in the cache for the current variables."""
        super().parse()
        key = (frozenset(self._variables.items()), *self.source.items())
        matches = self._matched.get(key)
        if matches is None:
            matches = self._matched[key] = Matches()
        self._matches = matches

    def reparse(self) -> None:
        """Parse the sources that are not in the cache for the current variables."""
        self.parse()

    def apply(
        self,
        node: DOMNode,
        *,
        animate: bool = False,
        cache: dict[tuple[object, ...], RulesMap] | None = None,
    ) -> None:
        """Apply the styles to a node. Reuse the rules of an earlier node that has the same key.

        The key consists of everything that selectors can depend on: the types, ids and style
        classes of the node and its ancestors, and those of their pseudo-classes that are in the
        selectors.
        """
        self.rules  # noqa: B018  (parses new sources, which changes `_matches`)
        found, path = self._matches, node.css_path_nodes
        names = tuple((type(each), each._id, frozenset(each._classes)) for each in path)
        kind = found.kinds.get(names[-1])
        if kind is None:
            super().apply(node, animate=animate)
            if len(found.kinds) >= NODES:
                found.kinds.clear()
            found.kinds[names[-1]] = self._kind_of(node)
            return
        wanted = kind.pseudo_classes
        states = tuple(each.has_pseudo_class(name) for each in path for name in wanted)
        key = (names, states)
        if key not in found.rules:
            result: dict[tuple[object, ...], RulesMap] = {}
            super().apply(node, animate=animate, cache=result)
            if len(found.rules) >= NODES:
                found.rules.clear()
            rules = next(iter(result.values()), None)
            is_part = type(node) is DOMNode  # carries the style of a part of a widget
            found.rules[key] = node.styles.base.get_rules() if is_part else rules
            return
        node._has_hover_style, node._has_focus_within = kind.hover, kind.focus_within
        node._has_order_style, node._has_odd_or_even = kind.order, kind.odd_or_even
        rules = found.rules[key]
        if rules is not None and type(node) is DOMNode:
            node.styles.base.merge_rules(rules)
        elif rules is not None:
            self.replace_rules(node, rules, animate=animate)
        self._process_component_classes(node)

    def _kind_of(self, node: DOMNode) -> Kind:
        """Return the kind of `node`, to which the styles have just been applied."""
        rules_map = self.rules_map
        rules = {
            rule for name in rules_map.keys() & node._selector_names for rule in rules_map[name]
        }
        used = {name for rule in rules for name in rule.pseudo_classes}
        return Kind(
            tuple(sorted(used)),
            node._has_hover_style,
            node._has_focus_within,
            node._has_order_style,
            node._has_odd_or_even,
        )

    @classmethod
    def replace_rules(cls, node: DOMNode, rules: RulesMap, animate: bool = False) -> None:
        """Replace the rules of a node, and set only those that have changed."""
        base = node.styles.base
        if animate and node.app.animation_level != "none":
            super().replace_rules(node, rules, animate=True)
        else:
            current = base._rules
            for name in current.keys() | rules.keys():
                value = rules.get(name)
                if current.get(name) != value:
                    setattr(base, name, value)
            node.notify_style_update()
