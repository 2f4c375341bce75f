"""The key line, which shows what you can do now, according to the active bindings."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from tutor.app.key_scheme import GROUPS, group_of
from tutor.app.theme import KEY, MUTED, RULE
from tutor.app.widgets.key_names import KEY_BY_NAME, key_name
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.binding import ActiveBinding
    from textual.dom import DOMNode
    from textual.events import Click
    from textual.screen import Screen

_HELP = key_name("question_mark")
_LAST = (key_name("escape"), "q", _HELP)
"""The keys that come last on every screen, in this order, and are left out last."""
NARROW = 60
"""The width, in columns, below which there may be two lines."""
_BETWEEN_KEYS, _BETWEEN_GROUPS = "  ", " │ "


_SEVERAL = re.compile(r"([^ ])[-/]?([^ ])")
"""What the key line shows for several keys, such as “↑↓”, “p/n” and “1-9”."""


class Entry(NamedTuple):
    """A key and its label on the key line. `group` is the index of its group in `GROUPS`.

    A `general` key belongs to the app, not to the screen. `press` is the key's name in bindings.
    """

    key: str
    label: str
    group: int
    general: bool = False
    press: str = ""

    def key_at(self, place: int) -> str:
        """Return the key to press for a click on the character at `place`."""
        several = _SEVERAL.fullmatch(self.key)
        if several is None or place >= len(self.key) or self.key in KEY_BY_NAME:
            return self.press
        name = several[1] if place == 0 else several[2]
        return KEY_BY_NAME.get(name, name)


class KeyLine(Widget):
    """A line with each action once, and its key, in groups.

    The most important keys are shown: first those in `first`, then those of the widget in focus,
    then those of the screen and of the app, each in the order in which they are bound. Help lists
    all keys, and its label says how many more there are.
    """

    def __init__(self, first: Sequence[str] = ("y",)) -> None:
        """Create a key line.

        By default, only the key for retrying comes first, since nothing else helps when it is
        available.
        """
        super().__init__()
        self._ordered = len(first) > 1
        """Whether the screen has an order of its own, in which the app's keys come last."""
        self._first = dict(zip(map(key_name, first), range(len(first)), strict=True))

    def on_mount(self) -> None:
        self._shown: list[list[Entry]] = []
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[Any]) -> None:
        """Draw the keys again if they have changed, since comparing keys is cheaper."""
        lines = self.lines(self.content_size.width)
        if lines != self._shown:
            self.refresh(layout=len(lines) != len(self._shown))

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
                of_app = active.node is self.app
                entries = general if of_app else own
                press = binding.key.split(",")[0]
                label = _(binding.description)
                entries[binding.action] = Entry(name, label, group, of_app, press)
        both = list((own | general).values())
        by_label = {entry.label: entry for entry in reversed(both)}
        others = [
            entry for entry in both if entry.key not in _LAST and by_label[entry.label] is entry
        ]
        last = [entry for entry in both if entry.key in _LAST]
        return (
            sorted(others, key=lambda entry: self._first.get(entry.key, len(self._first))),
            sorted(last, key=lambda entry: _LAST.index(entry.key)),
        )

    def lines(self, width: int) -> list[list[Entry]]:
        """Return the entries that fit, in the order of their groups, on lines of `width` columns.

        There is one line or, on a screen with fewer than `NARROW` columns, up to two.
        """
        others, last = self.keys()
        most = 1 if width >= NARROW else 2
        lines = _laid_out(others, last, 0, width)
        if len(lines) <= most:
            return lines
        kept: list[Entry] = []
        for number, entry in enumerate(others):
            if self._ordered and entry.general and len(kept) < number:
                break  # the keys of the screen come first, even if this one would fit
            left_out = len(others) - len(kept) - 1
            if len(_laid_out([*kept, entry], last, left_out, width)) <= most:
                kept.append(entry)
        for first in range(len(last)):
            left_out = len(others) - len(kept) + first
            lines = _laid_out(kept, last[first:], left_out, width)
            if len(lines) <= most:
                break
        return lines

    def on_click(self, event: Click) -> None:
        """Press the key that was clicked."""
        at = event.get_content_offset(self)
        if at is not None and at.y < len(self._shown):
            key = key_at(self._shown[at.y], at.x)
            if key:
                event.stop()
                self.app.simulate_key(key)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.lines(width))

    def render(self) -> Content:
        self._shown = self.lines(self.content_size.width)
        return Content("\n").join(map(_line, self._shown))


def _by_importance(bindings: Iterable[ActiveBinding]) -> Iterator[ActiveBinding]:
    """Yield the bindings of each node in the order of its class, before those of its base classes.

    Textual begins with the base classes, so the arrow keys of every scrolling widget come first.
    """
    for node, active in groupby(bindings, key=lambda each: each.node):
        kind: type[DOMNode] = type(node)
        order = _declared(kind)
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


def _laid_out(
    others: list[Entry], last: list[Entry], left_out: int, width: int
) -> list[list[Entry]]:
    """Divide the entries into lines of at most `width` columns, in the order of their groups.

    `left_out` is the number of other keys, which becomes the label of help. A line has at least one
    entry.
    """
    more = _("{left_out} more").format(left_out=left_out)
    ends = [each._replace(label=more) if left_out and each.key == _HELP else each for each in last]
    lines: list[list[Entry]] = [[]]
    used = 0
    for entry in [*sorted(others, key=lambda each: each.group), *ends]:
        size = cell_len(entry.key) + 1 + cell_len(entry.label)
        before = lines[-1][-1] if lines[-1] else None
        gap = len(_BETWEEN_KEYS if before and before.group == entry.group else _BETWEEN_GROUPS)
        if before and used + gap + size > width:
            lines.append([entry])
            used = size
        else:
            used += size + (gap if before else 0)
            lines[-1].append(entry)
    return lines


def key_at(entries: Sequence[Entry], x: int) -> str:
    """Return the key at column `x` of a line, or an empty string between two keys."""
    begin = 0
    for number, entry in enumerate(entries):
        if number:
            same = entry.group == entries[number - 1].group
            begin += len(_BETWEEN_KEYS if same else _BETWEEN_GROUPS)
        end = begin + cell_len(entry.key) + 1 + cell_len(entry.label)
        if begin <= x < end:
            return entry.key_at(x - begin)
        begin = end
    return ""


def _line(entries: Sequence[Entry]) -> Content:
    groups = (
        Content(_BETWEEN_KEYS).join(
            Content.assemble((each.key, KEY), " ", (each.label, MUTED)) for each in group
        )
        for _, group in groupby(entries, key=lambda entry: entry.group)
    )
    return Content.styled(_BETWEEN_GROUPS, RULE).join(groups)
