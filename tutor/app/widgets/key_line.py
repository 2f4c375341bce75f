"""The key line, which shows what you can do now, according to the active bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.widget import Widget

from tutor.app.theme import ACT, MUTED

if TYPE_CHECKING:
    from textual.screen import Screen

Entry = tuple[str, str]
"""A key and its label."""

_LAST = ("back", "app.quit", "help")
"""The actions that come last on every screen, in this order, and are never left out."""
_MOST_LINES = 2
_NAMES = {
    "escape": "esc",
    "enter": "enter",
    "question_mark": "?",
    "slash": "/",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "plus": "+",
    "minus": "-",
}


def key_name(key: str) -> str:
    """Return the name of a key as it appears on the screen."""
    return _NAMES.get(key, key)


class KeyLine(Widget):
    """A line with each action once, and its key.

    If one line is too short, the keys that work on every screen are left out. If that is not
    enough, there are two lines, and the last keys that do not fit are left out. The keys to go back
    and to open help are always shown. Help lists all keys, and its label says how many more there
    are.
    """

    def on_mount(self) -> None:
        self._shown: list[list[Entry]] = []
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[Any]) -> None:
        """Lay out the screen only if the keys have changed, since comparing keys is cheaper."""
        if self.lines(self.content_size.width) != self._shown:
            self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """Set whether there are two lines, so that the style sheet can make room for them."""
        if width := self.content_size.width:
            self._shown = self.lines(width)
            self.screen.set_class(len(self._shown) > 1, "-two-lines-of-keys")
        self.refresh(layout=True)

    def keys(self) -> tuple[list[Entry], list[Entry]]:
        """Return the entries of all shown actions, and the entries that always come last.

        Actions of the widget in focus come first, and actions of the app last.
        """
        own, general, last = self._groups()
        return [*own, *general], last

    def _groups(self) -> tuple[list[Entry], list[Entry], list[Entry]]:
        """Return the entries of the screen, those of the app, and those that always come last."""
        own: dict[str, Entry] = {}
        general: dict[str, Entry] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in own | general:
                name = binding.key_display or key_name(binding.key)
                group = general if active.node is self.app else own
                group[binding.action] = (name, binding.description)
        shown = own | general
        last = [shown[action] for action in _LAST if action in shown]
        for action in _LAST:
            own.pop(action, None)
            general.pop(action, None)
        return list(own.values()), list(general.values()), last

    def lines(self, width: int) -> list[list[Entry]]:
        """Lay out the keys on one line of `width` columns if possible, else on two."""
        own, general, last = self._groups()
        others = [*own, *general]
        for left_out in range(len(general) + 1):
            if len(lines := _fitted(others, last, left_out, width)) == 1:
                return lines
        for left_out in range(len(others) + 1):
            if len(lines := _fitted(others, last, left_out, width)) <= _MOST_LINES:
                break
        return lines

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self.lines(width))

    def render(self) -> Content:
        lines = [
            Content("  ").join(
                Content.assemble((key, f"{ACT} bold"), " ", (text, MUTED)) for key, text in line
            )
            for line in self.lines(self.content_size.width)
        ]
        return Content("\n").join(lines)


def _fitted(others: list[Entry], last: list[Entry], left_out: int, width: int) -> list[list[Entry]]:
    """Return the lines without the last `left_out` of the entries in `others`."""
    return _wrap([*others[: len(others) - left_out], *_counting(last, left_out)], width)


def _counting(last: list[Entry], left_out: int) -> list[Entry]:
    """Return `last`, with the number of keys left out as the label of help."""
    help_key = key_name("question_mark")
    more = f"{left_out} more"
    return [(key, more if left_out and key == help_key else said) for key, said in last]


def _wrap(keys: list[Entry], width: int) -> list[list[Entry]]:
    lines: list[list[Entry]] = [[]]
    used = 0
    for key, text in keys:
        size = len(key) + 1 + len(text)
        if lines[-1] and used + 2 + size > width:
            lines.append([])
            used = 0
        used += size + (2 if lines[-1] else 0)
        lines[-1].append((key, text))
    return lines
