"""Draw key names in the same style on the key line and in running text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from textual.content import Content

from tutor.app.theme import KEY
from tutor.language import _

if TYPE_CHECKING:
    from textual.screen import Screen

_NAMES = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "comma": ",",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}
KEY_BY_NAME = {name: key for key, name in _NAMES.items()}
_IN_BINDINGS = {"Esc": "escape", "PgUp": "pageup", "PgDn": "pagedown"}
NAMED = r"(?:(?:Shift|Ctrl|ctrl)\+(?:[←→↑↓]|\w+)|Enter|Esc|Tab|PgUp|PgDn)"
ARROWS = r"[←→↑↓](?:\ ?[←→↑↓])*"
_ONE = r"(?:[a-z]|[/?\\]|,(?=\ on\b))(?![\w'’+])"
_IN_TEXT = re.compile(
    rf"""
    (?<![\w“+]){NAMED}(?![\w”])(?!\ (?:a|an|the|your|some|it|words|text)\b)  # not the verb
  | (?<=[Pp]ress\ )(?:Space|{ARROWS}|{_ONE})
  | (?<=[Tt]hen\ )(?!a\b)(?:{ARROWS}|{_ONE})
  | (?<=\band\ )(?:Space(?=\ to\b)|{ARROWS})
  | (?:^|(?<=,\ )|(?<=\bor\ )|(?<=\bwith\ )|(?<=\buse\ )){ARROWS}(?!\ ?[“"`?\d])
    """,
    re.VERBOSE,
)
_IN_BRACKETS = re.compile(r"(?<=\s)\(([^()]+)\)")
_BEFORE = re.compile(r"[Pp]ress\ $")
_ITEM = re.compile(rf"\s*((?:{NAMED}|{ARROWS}|/)(?=$|[\s:])|{_ONE}(?=$|:))")


def key_name(key: str) -> str:
    """Return the name of a key as shown on the screen."""
    return _NAMES.get(key, key)


def press(screen: Screen[Any], key: str) -> str:
    """Return a phrase such as "Press h" for a key that works on the screen.

    In a text field, letters are text until Tab leaves the field, so the phrase mentions Tab first.
    """
    now = key in screen.active_bindings
    return (_("Press {key}") if now else _("Press Tab, then {key},")).format(key=key)


def key_spans(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each key name in a text.

    “Press e”, “(e)”, “then e”, “Enter” and “↑” contain a key name. “Enter a number” and “T → 0” do
    not.
    """
    found = {each.span() for each in _IN_TEXT.finditer(text)}
    for brackets in _IN_BRACKETS.finditer(text):
        at, items = brackets.start(1), []
        for item in brackets[1].split(","):
            if key := _ITEM.match(item):
                items.append((at + key.start(1), at + key.end(1)))
            at += len(item) + 1
        if len(items) == brackets[1].count(",") + 1:
            found.update(items)
    return sorted(found)


def named_key(line: str, at: int) -> str:
    """Return the key that a line names at index `at`, in the notation of bindings, or "".

    The word “Press” before a name counts as part of the name.
    """
    for begin, end in key_spans(line):
        if begin <= at < end:
            return _in_bindings(line[at] if line[begin] in "←→↑↓" else line[begin:end])
        before = _BEFORE.search(line, 0, begin)
        if before and before.start() <= at < begin:
            return _in_bindings(line[begin:end].split(" ")[0])
    return ""


def _in_bindings(name: str) -> str:
    """Convert the name of a key in a text to the name that bindings use."""
    return _IN_BINDINGS.get(name) or KEY_BY_NAME.get(name) or name.lower()


def with_keys(text: Content | str, style: str = "") -> Content:
    """Draw a text in `style`, except that key names are drawn in the style of keys."""
    content = Content(text) if isinstance(text, str) else text
    content = content.stylize_before(style)
    for begin, end in key_spans(content.plain):
        content = content.stylize(KEY, begin, end)
    return content
