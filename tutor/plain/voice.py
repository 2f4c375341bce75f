"""Print lines of text for people who use a screen reader or a braille display."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from tutor.text import in_ascii, safe

if TYPE_CHECKING:
    from collections.abc import Iterable


class Voice:
    """A printer of text lines, which remembers the line that it last printed."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._ascii = not (self._stream.encoding or "").lower().replace("-", "").startswith("utf")
        self.last = ""

    def say(self, *lines: str) -> None:
        """Print lines, without control characters and without empty lines."""
        for line in lines:
            for part in safe(line).split("\n"):
                if part.strip():
                    self._write(part.strip())
        self._stream.flush()

    def all(self, lines: Iterable[str]) -> None:
        self.say(*lines)

    def reply(self, line: str) -> None:
        """Print a short message, unless it repeats the line before it."""
        if line.strip() != self.last:
            self.say(line)

    def break_line(self) -> None:
        """Begin a new line if the output is a terminal, because it may have echoed a key."""
        if self._stream.isatty():
            self._stream.write("\n")

    def _write(self, line: str) -> None:
        self.last = line
        self._stream.write((in_ascii(line) if self._ascii else line) + "\n")
