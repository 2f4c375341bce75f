"""The key line, which shows what you can do now, according to the active bindings."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from tutor.app.key_scheme import GROUPS, group_of
from tutor.app.theme import KEY, MUTED, RULE
from tutor.app.widgets.key_names import key_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.binding import ActiveBinding
    from textual.dom import DOMNode
    from textual.screen import Screen

_LAST = ("back", "app.quit", "help")
"""The actions that come last on every screen, in this order, and are left out last."""
_URGENT = ("retry",)
"""The labels of actions that come first, since nothing else helps when they are available."""
_HELP = key_name("question_mark")
_BETWEEN_KEYS, _BETWEEN_GROUPS = "  ", " │ "


class Entry(NamedTuple):
    """A key and its label on the key line. `group` is the index of its group in `GROUPS`."""

    key: str
    label: str
    group: int


class KeyLine(Widget):
    """A line with each action once, and its key, in groups.

    The most important keys are shown: first those of the widget in focus, then those of the screen
    and of the app, each in the order in which they are bound. Help lists all keys, and its label
    says how many more there are.
    """

    def on_mount(self) -> None:
        self._shown: list[Entry] = []
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[Any]) -> None:
        """Redraw the line if it has changed."""
        if self.shown(self.content_size.width) != self._shown:
            self.refresh()

    def keys(self) -> tuple[list[Entry], list[Entry]]:
        """Return the entries of all actions by importance, and those that always come last.

        If several keys have the same label, the first one stands for them.
        """
        own: dict[str, Entry] = {}
        general: dict[str, Entry] = {}
        for active in _by_importance(self.screen.active_bindings.values()):
            binding = active.binding
            if binding.show and active.enabled and binding.action not in own | general:
                name = binding.key_display or key_name(binding.key)
                group = GROUPS.index(group_of(binding))
                entries = general if active.node is self.app else own
                entries[binding.action] = Entry(name, binding.description, group)
        both = own | general
        last = [both.pop(action) for action in _LAST if action in both]
        by_label = {entry.label: entry for entry in reversed(both.values())}
        others = [entry for entry in both.values() if by_label[entry.label] is entry]
        return sorted(others, key=lambda entry: entry.label not in _URGENT), last

    def shown(self, width: int) -> list[Entry]:
        """Return the entries that fit into `width` columns, in the order of their groups."""
        others, last = self.keys()
        for left_out in range(len(others) + len(last)):
            kept = others[: max(0, len(others) - left_out)]
            ends = _counting(last[max(0, left_out - len(others)) :], left_out)
            line = [*sorted(kept, key=lambda entry: entry.group), *ends]
            if _line(line).cell_length <= width:
                return line
        return line

    def render(self) -> Content:
        self._shown = self.shown(self.content_size.width)
        return self.drawn(self.content_size.width)

    def drawn(self, width: int) -> Content:
        """Draw the keys that fit into `width` columns."""
        return _line(self.shown(width))


def _by_importance(bindings: Iterable[ActiveBinding]) -> Iterator[ActiveBinding]:
    """Yield the bindings of each node in the order of its class, before those of its base classes.

    Textual begins with the base classes, so the arrow keys of every scrolling widget come first.
    """
    for node, active in groupby(bindings, key=lambda each: each.node):
        order = _declared(type(node))
        last = len(order)
        yield from sorted(active, key=lambda each: order.get(each.binding.action, last))


@lru_cache
def _declared(kind: type[DOMNode]) -> dict[str, int]:
    """Return the position of each action in the bindings of a class and its base classes."""
    places: dict[str, int] = {}
    for each in kind.__mro__:
        for binding in Binding.make_bindings(vars(each).get("BINDINGS", ())):
            places.setdefault(binding.action, len(places))
    return places


def _counting(last: list[Entry], left_out: int) -> list[Entry]:
    """Return `last`, with the number of keys left out as the label of help."""
    more = f"{left_out} more"
    return [each._replace(label=more) if left_out and each.key == _HELP else each for each in last]


def _line(entries: Sequence[Entry]) -> Content:
    groups = (
        Content(_BETWEEN_KEYS).join(
            Content.assemble((each.key, KEY), " ", (each.label, MUTED)) for each in group
        )
        for _, group in groupby(entries, key=lambda entry: entry.group)
    )
    return Content.styled(_BETWEEN_GROUPS, RULE).join(groups)
