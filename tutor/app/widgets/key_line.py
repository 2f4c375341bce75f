"""The key line, which shows what you can do now, according to the active bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.widget import Widget

from tutor.app.theme import ACT, MUTED

if TYPE_CHECKING:
    from textual.screen import Screen

_LAST = ("back", "app.quit", "help")
"""The actions that come last, in this order, on every screen, and are never left out."""
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
    """Return the name of a key on the screen."""
    return _NAMES.get(key, key)


class KeyLine(Widget):
    """A line with each action once, and its key.

    It takes a second line if one is too short. Actions that still do not fit are left out from the
    end, but never the keys to go back and to get help. Help lists all of them, and its label tells
    how many more there are.
    """

    def on_mount(self) -> None:
        self._shown: list[list[tuple[str, str]]] = []
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _screen: Screen[Any]) -> None:
        """Lay out the screen only if the keys have changed, since comparing them is cheaper."""
        if self.lines(self.content_size.width) != self._shown:
            self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """Tell the screen whether there are two lines, for its style sheet."""
        if width := self.content_size.width:
            self._shown = self.lines(width)
            self.screen.set_class(len(self._shown) > 1, "-two-lines-of-keys")
        self.refresh(layout=True)

    def keys(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return (key, label) for every shown action, and for those that always come last.

        Actions of the widget in focus come first, those of the app last.
        """
        shown: dict[str, tuple[str, str]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in shown:
                name = binding.key_display or key_name(binding.key)
                shown[binding.action] = (name, binding.description)
        last = [shown.pop(action) for action in _LAST if action in shown]
        return list(shown.values()), last

    def lines(self, width: int) -> list[list[tuple[str, str]]]:
        """Lay out the keys on at most two lines of `width` columns."""
        others, last = self.keys()
        for left_out in range(len(others) + 1):
            shown = others[: len(others) - left_out]
            lines = _wrap([*shown, *_counting(last, left_out)], width)
            if len(lines) <= _MOST_LINES:
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


def _counting(last: list[tuple[str, str]], left_out: int) -> list[tuple[str, str]]:
    """Return `last`, where the label of help tells how many keys were left out."""
    help_key = key_name("question_mark")
    more = f"{left_out} more"
    return [(key, more if left_out and key == help_key else said) for key, said in last]


def _wrap(keys: list[tuple[str, str]], width: int) -> list[list[tuple[str, str]]]:
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0
    for key, text in keys:
        size = len(key) + 1 + len(text)
        if lines[-1] and used + 2 + size > width:
            lines.append([])
            used = 0
        used += size + (2 if lines[-1] else 0)
        lines[-1].append((key, text))
    return lines
