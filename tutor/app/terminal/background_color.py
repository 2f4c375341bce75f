"""Find out whether the terminal's background is light, by requesting its color with OSC 11.

A terminal that does not support the request ignores it. Otherwise, its reply arrives among the
keys, possibly in several pieces, and is removed before the keys are parsed.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

from textual.color import Color
from textual.message import Message

QUESTION = "\x1b]11;?\x1b\\"
BACKGROUND = "terminal.background"
"""The name of the setting that stores whether the background is light.

The app uses it the next time it starts.
"""

_BEGIN = "\x1b]11;"
_ANSWER = re.compile(r"\x1b\]11;([\w:/#]{0,40})(?:\x07|\x1b\\)")
_UNFINISHED = re.compile(r"\x1b\]11;[\w:/#]{0,40}\x1b?")
_COLOR = re.compile(r"rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")


@dataclass
class BackgroundReported(Message):
    """Posted when the terminal has reported its background color."""

    light: bool


def may_answer() -> bool:
    """Return False if the terminal would show the request as text instead of ignoring it."""
    term = os.environ.get("TERM", "")
    return sys.platform != "win32" and not term.startswith(("linux", "vt", "dumb"))


def is_light(answer: str) -> bool | None:
    """Return True if the color in a terminal's reply is light, or None if it is not a color."""
    found = _COLOR.match(answer)
    if found is None:
        return None
    red, green, blue = (int(part, 16) * 255 // (16 ** len(part) - 1) for part in found.groups())
    return Color(red, green, blue).brightness > 0.5


class Replies:
    """A filter that removes the terminal's replies from its input.

    If the input ends with a part of a reply, this part is held back until the next input arrives.
    """

    def __init__(self) -> None:
        self._held = ""

    def taken_from(self, data: str) -> tuple[str, list[BackgroundReported]]:
        """Return the input without replies, and a message for each reply."""
        if not self._held and "\x1b]" not in data:
            return data, []
        text, self._held = self._held + data, ""
        reports = []
        for answer in _ANSWER.findall(text):
            if (light := is_light(answer)) is not None:
                reports.append(BackgroundReported(light))
        text = _ANSWER.sub("", text)
        start = text.rfind("\x1b]")
        tail = text[start:] if start >= 0 else ""
        if tail and (_BEGIN.startswith(tail) or _UNFINISHED.fullmatch(tail)):
            text, self._held = text[:start], tail
        return text, reports
