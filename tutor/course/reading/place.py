"""Decode lesson files, and describe positions in them for error messages."""

from __future__ import annotations

import unicodedata

import msgspec

from tutor.errors import LessonError

MAXIMUM_BYTES = 100_000
"""The maximum size of a lesson file in bytes, several times the size of a long lesson.

The limit protects against malicious files, which some Markdown parsers need quadratic time to
parse.
"""

_ACTING_ON_A_TERMINAL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# These two characters are needed to write Persian, Hindi and other languages.
_JOINERS = "\u200c\u200d"


class Place(msgspec.Struct, frozen=True):
    """A line of a file, counted from 1, for error messages."""

    file: str
    line: int = 1

    def below(self, lines: int) -> Place:
        """Return the place that is `lines` lines further down."""
        return Place(self.file, self.line + lines)

    def error(self, problem: str, next_step: str) -> LessonError:
        return LessonError(problem, next_step, file=self.file, line=self.line)


def text_of(data: bytes, file: str) -> str:
    """Return the text of a lesson file with normalized line endings, and without a byte-order mark.

    Raises `LessonError` if the file is too large, is not UTF-8, or contains control characters.
    """
    return checked(decoded(data, file), file)


def decoded(data: bytes, file: str) -> str:
    """Decode a lesson file like `text_of`, but allow control characters."""
    if len(data) > MAXIMUM_BYTES:
        raise Place(file).error(
            f"The file is larger than {MAXIMUM_BYTES:,} bytes, the limit for a lesson.",
            "Split it into several lessons.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Place(file, line).error(
            f"The byte 0x{data[error.start]:02x} is not valid UTF-8.", "Save the file as UTF-8."
        ) from error
    return plain_line_ends(text)


def checked(text: str, file: str) -> str:
    """Return `text` with normalized line endings. Raises `LessonError` for control characters."""
    text = plain_line_ends(text)
    if text.replace("\n", "").isprintable():
        return text
    for line, content in enumerate(text.split("\n"), start=1):
        if bad := control_character(content):
            raise Place(file, line).error(
                f"The character U+{ord(bad):04X} could control the terminal.", "Remove it."
            )
    return text


def plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def control_character(text: str) -> str | None:
    """Return the first character that could control a terminal, or None."""
    if text.isprintable():
        return None
    for char in text:
        if char in "\n\t" or char in _JOINERS:
            continue
        if unicodedata.category(char) in _ACTING_ON_A_TERMINAL:
            return char
    return None
