"""The key line, which shows the keys that the learner can press now."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from tutor.app.key_scheme import ARROWS, GROUPS, group_of
from tutor.app.theme import KEY, MUTED, RULE
from tutor.app.widgets.clicks import ClickedKey
from tutor.app.widgets.key_names import KEY_BY_NAME, key_name
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.binding import ActiveBinding
    from textual.dom import DOMNode
    from textual.events import Click

_HELP = key_name("question_mark")
_LAST = (key_name("escape"), "q", _HELP)
"""The keys at the end of the line, in this order. They are the last keys to be left out."""
NARROW = 60
"""The width, in columns, below which the key line may have two lines."""
_BETWEEN_KEYS, _BETWEEN_GROUPS = "  ", " │ "


_SEVERAL = re.compile(r"([^ ])[-/]?([^ ])")
"""A pattern for names that represent several keys, such as “↑↓”, “p/n” and “1-9”."""


class Entry(NamedTuple):
    """A key and its label on the key line. `group` is the index of its group in `GROUPS`.

    `general` is true if the key belongs to the app, and not to the screen. `press` is the name of
    the key in bindings.
    """

    key: str
    label: str
    group: int
    general: bool = False
    press: str = ""

    def key_at(self, place: int) -> str:
        """Return the key to press when the learner clicks the character at index `place`."""
        several = _SEVERAL.fullmatch(self.key)
        if several is None or place >= len(self.key) or self.key in KEY_BY_NAME:
            return self.press
        name = several[1] if place == 0 else several[2]
        return KEY_BY_NAME.get(name, name)


class KeyLine(Widget):
    """A line with the available actions and their keys, in groups.

    If there is not enough room, only the most important actions are shown. First come the keys in
    `first`, and then the bindings of the focused widget, of the screen, and of the app. The label
    of the help key is then “keys”. Help also lists keys that are never on this line.
    """

    def __init__(self, first: Sequence[str] = ("y",)) -> None:
        """Create a key line.

        By default, only the key for retrying comes first, because no other key helps when it is
        available.
        """
        super().__init__()
        self._ordered = len(first) > 1
        """Whether the screen sets the order of the keys. If so, the app's keys come last."""
        self._first = dict(zip(map(key_name, first), range(len(first)), strict=True))
        self._shown: list[list[Entry]] = []
        self._arranged: tuple[int, list[list[Entry]]] = (-1, [])
        """The width and the lines at the latest comparison."""
        self._clicked = ""
        """The label under the latest click or, after a double click, under its first click."""

    def compare(self) -> None:
        """Redraw the keys if they have changed. Comparing them is faster than drawing them.

        The screen calls this just before it paints, and then paints the new keys, too. If their
        number of lines has changed, it paints them after it has computed the layout.
        """
        width = self.content_size.width
        lines = self.lines(width)
        self._arranged = (width, lines)
        if len(lines) != len(self._shown):
            self.refresh(layout=True)
        elif lines != self._shown:
            self.refresh()
            self.screen._dirty_widgets.add(self)

    def _latest(self, width: int) -> list[list[Entry]]:
        """Return the lines of the latest comparison, or arrange them for another width."""
        if width != self._arranged[0]:
            self._arranged = (width, self.lines(width))
        return self._arranged[1]

    def keys(self) -> tuple[list[Entry], list[Entry]]:
        """Return the actions in order of importance, and the actions that always come last.

        If several actions have the same label, only one of them is included: one that is last
        on every screen or, if there is none, the first.
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
        last = [entry for entry in both if entry.key in _LAST]
        by_label = {entry.label: entry for entry in (*reversed(both), *last)}
        others = [
            entry for entry in both if entry.key not in _LAST and by_label[entry.label] is entry
        ]
        return (
            sorted(others, key=self._rank),
            sorted(last, key=lambda entry: _LAST.index(entry.key)),
        )

    def _rank(self, entry: Entry) -> int:
        """Return the position of a key in the screen's order. Keys outside this order come last."""
        key = ARROWS if set(entry.key) <= set(ARROWS) else entry.key
        return self._first.get(key, len(self._first))

    def lines(self, width: int) -> list[list[Entry]]:
        """Arrange the actions that fit on lines of `width` columns, in the order of their groups.

        There is one line or, if `width` is less than `NARROW`, there may be two.
        """
        others, last = self.keys()
        most = 1 if width >= NARROW else 2
        lines = _laid_out(others, last, width, left_out=False)
        if len(lines) <= most:
            return lines
        kept: list[Entry] = []
        for number, entry in enumerate(others):
            if self._ordered and entry.general and len(kept) < number:
                break  # if one of the screen's keys did not fit, none of the app's keys is shown
            left_out = len(kept) + 1 < len(others)
            if len(_laid_out([*kept, entry], last, width, left_out=left_out)) <= most:
                kept.append(entry)
        for first in range(len(last)):
            left_out = bool(first) or len(kept) < len(others)
            lines = _laid_out(kept, last[first:], width, left_out=left_out)
            if len(lines) <= most:
                break
        return lines

    def on_click(self, event: Click) -> None:
        """Press the key that the learner has clicked.

        The second click of a double click presses the key again only if it still has the same
        label. For example, a double click on “enter answer” does not also press “enter next”.
        """
        at = event.get_content_offset(self)
        if at is None or at.y >= len(self._shown):
            return
        entry, key = key_at(self._shown[at.y], at.x)
        if entry is None:
            return
        event.stop()
        if event.chain == 1:
            self._clicked = entry.label
        if entry.label == self._clicked:
            self.app.post_message(ClickedKey(key, self.screen))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._latest(width))

    def render(self) -> Content:
        self._shown = self._latest(self.content_size.width)
        return Content("\n").join(map(_line, self._shown))


def _by_importance(bindings: Iterable[ActiveBinding]) -> Iterator[ActiveBinding]:
    """Yield each node's bindings: first those of its class, then those of its base classes.

    In Textual's order, base classes come first. The arrow keys, which every scrolling widget binds,
    would then precede all others.
    """
    for node, active in groupby(bindings, key=lambda each: each.node):
        kind: type[DOMNode] = type(node)
        order = _declared(kind)
        last = len(order)
        yield from sorted(active, key=lambda each: order.get(each.binding.action, last))


@lru_cache
def _declared(kind: type[DOMNode]) -> dict[str, int]:
    """Return the position of each action among the bindings of a class and its base classes."""
    places: dict[str, int] = {}
    for each in kind.__mro__:
        for binding in Binding.make_bindings(vars(each).get("BINDINGS", ())):
            places.setdefault(binding.action, len(places))
    return places


def _laid_out(
    others: list[Entry], last: list[Entry], width: int, *, left_out: bool
) -> list[list[Entry]]:
    """Divide the actions into lines of at most `width` columns, in the order of their groups.

    If `left_out` is true, some actions are not shown, and the help key has another label. A line
    contains at least one action.
    """
    more = _("keys")
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


def key_at(entries: Sequence[Entry], x: int) -> tuple[Entry | None, str]:
    """Return the action at column `x` of a line and its key, or (None, "") if there is none."""
    begin = 0
    for number, entry in enumerate(entries):
        if number:
            same = entry.group == entries[number - 1].group
            begin += len(_BETWEEN_KEYS if same else _BETWEEN_GROUPS)
        end = begin + cell_len(entry.key) + 1 + cell_len(entry.label)
        if begin <= x < end:
            return entry, entry.key_at(x - begin)
        begin = end
    return None, ""


def _line(entries: Sequence[Entry]) -> Content:
    groups = (
        Content(_BETWEEN_KEYS).join(
            Content.assemble((each.key, KEY), " ", (each.label, MUTED)) for each in group
        )
        for _, group in groupby(entries, key=lambda entry: entry.group)
    )
    return Content.styled(_BETWEEN_GROUPS, RULE).join(groups)
