"""Ask the terminal for its background color (OSC 11), and take its answer out of the input.

A terminal that does not know the question ignores it. The answer arrives among the keys, so it is
taken out before they are parsed, however it is divided.
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
"""The learner's setting with the latest answer, so that the next start has its colors at once."""

_BEGIN = "\x1b]11;"
_ANSWER = re.compile(r"\x1b\]11;([\w:/#]{0,40})(?:\x07|\x1b\\)")
_UNFINISHED = re.compile(r"\x1b\]11;[\w:/#]{0,40}\x1b?")
_COLOR = re.compile(r"rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")


@dataclass
class BackgroundReported(Message):
    """Posted when the terminal has said whether its background is light."""

    light: bool


def may_answer() -> bool:
    """Return False for terminals that would show the question instead of ignoring it."""
    term = os.environ.get("TERM", "")
    return sys.platform != "win32" and not term.startswith(("linux", "vt", "dumb"))


def is_light(answer: str) -> bool | None:
    """Return whether the color in a terminal's answer is light, or None if it is not a color."""
    found = _COLOR.match(answer)
    if found is None:
        return None
    red, green, blue = (int(part, 16) * 255 // (16 ** len(part) - 1) for part in found.groups())
    return Color(red, green, blue).brightness > 0.5


class Replies:
    """Takes the answers out of the input. An answer that is not complete yet is held back."""

    def __init__(self) -> None:
        self._held = ""

    def taken_from(self, data: str) -> tuple[str, list[BackgroundReported]]:
        """Return the input without answers, and a message for each answer."""
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
