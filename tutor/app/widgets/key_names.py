"""Draw the names of keys, so that a key looks the same on the key line and in sentences."""

from __future__ import annotations

import re

from textual.content import Content

from tutor.app.theme import KEY

_NAMES = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "plus": "+",
    "minus": "-",
}
_NAMED = r"Enter|Esc|Tab|Shift\+Tab|Space|PgUp|PgDn|Home|End|Ctrl\+\w+|[←→↑↓]"
_IN_SENTENCES = re.compile(
    rf"(?<!\w)(?P<named>(?:{_NAMED})(?!\w))"
    r"|(?<=[Pp]ress )(?P<pressed>[a-z0-9?/](?!\w))"
    r"|(?<=then )(?P<then>[a-z0-9?/](?= to | again|[.,;]))"
)
"""Keys with a name of their own, and single characters after "press"."""


def key_name(key: str) -> str:
    """Return the name of a key as it appears on the screen."""
    return _NAMES.get(key, key)


def with_keys(text: str | Content, style: str = "") -> Content:
    """Return a sentence in `style`, in which the names of keys look like keys."""
    content = Content(text) if isinstance(text, str) else text
    content = content.stylize_before(style) if style else content
    for found in _IN_SENTENCES.finditer(content.plain):
        content = content.stylize(KEY, *found.span())
    return content
