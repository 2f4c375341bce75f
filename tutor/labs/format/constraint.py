r"""Constrained decoding: formats that restrict the next token.

Before each step, every token of the vocabulary is tested: if the token is appended, can the text
still be completed so that it matches the format? If not, the token is masked: its probability is
set to 0. The next token is chosen from the tokens that are left. So a complete text always matches
the format. The mask says nothing about the meaning of the text.

A format has two tests for the bytes generated so far:

    begins(data)    Is the data the beginning of a text that matches the format?
    whole(data)     Does the data itself match the format? Only then can the text end.

The tests work on bytes, not on characters, because a token can contain part of a character. For
example, "é" is the two bytes C3 A9, and a vocabulary can have a separate token for each byte. After
C3, the format has to decide whether any character that begins with C3 is allowed.

There are two kinds of formats. `Choices` allows a fixed list of texts. `Pattern` is a regular
expression. It uses the `regex` package, whose partial matching (`partial=True`) detects whether
text is the beginning of a match. Patterns can use only the syntax of regular languages:

    abc     these characters                    .       any character except a line break
    [abc]   one of these; [a-z], [^abc]         \d \w \s and \D \W \S, in ASCII
    a|b     one or the other                    (a)     a group
    a?  a*  a+  a{2}  a{2,5}                    \.      a literal character

Lookaround (`(?=`), backreferences (`\1`) and Unicode properties (`\p{L}`) are rejected. This keeps
matching simple. The non-ASCII characters in a pattern divide all characters into a few ranges, and
the pattern treats all characters in a range alike (see `Pattern._representatives`).
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import groupby

import regex

from tutor.errors import LabError
from tutor.language import _

LONGEST_PATTERN = 200
MOST_REPEATS = 200
PATIENCE = 1.0
"""The maximum CPU time for computing one mask, in seconds. A pattern such as `(a|aa)+b` can exceed
it, because the number of ways to match grows exponentially with the length of the text."""

_ALLOWED = regex.compile(
    r"""
    (?: \\[dDwWsS]                        # a character class
      | \\[^a-zA-Z0-9]  | \\[nrt]         # a literal character; a line break, a tab
      | \[\^?(?:\\[dDwWsSnrt] | \\[^a-zA-Z0-9] | [^\]\\[])+\]
      | \((?!\?) | \(\?: | \) | \|
      | [*+?](?![*+?]) | \{\d{1,3}(?:,\d{0,3})?\}(?![*+?])
      | [^\\()\[\]{}|*+?^$]
    )*
    """,
    regex.VERBOSE,
)


FEW, DEEPEST = 8, 3
"""The limits below which the tokens of a group are tested one by one.

In a larger group, the common prefix of all tokens is tested first. If the format allows the prefix,
the group is divided into groups with longer common prefixes. A group is not divided if it has at
most `FEW` tokens, or if its common prefix has `DEEPEST` bytes.
"""


class Choices:
    """A format that allows exactly the texts in a fixed list."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(dict.fromkeys(text for text in texts if text))
        self._data = tuple(text.encode() for text in self.texts)
        if not self._data:
            raise LabError("There are no choices.", "Write at least one, with | between choices.")

    def begins(self, data: bytes) -> bool:
        return any(each.startswith(data) for each in self._data)

    def whole(self, data: bytes) -> bool:
        return data in self._data


class Pattern:
    """A format that allows every text that fully matches a regular expression.

    Raises `LabError` if the pattern is invalid or uses unsupported syntax.
    """

    def __init__(self, pattern: str, patience: float = PATIENCE) -> None:
        self.pattern = pattern
        self._patience = patience
        self._compiled = _compiled(pattern)
        # The code points at which a range begins: each non-ASCII character in the pattern, and the
        # code point after it.
        codes = {ord(char) for char in pattern if not char.isascii()}
        self._borders = sorted(codes | {code + 1 for code in codes})

    def begins(self, data: bytes) -> bool:
        """Return True if `data` is the beginning of a match. Raises `LabError` after a timeout."""
        text, tail = _characters(data)
        if text is None:
            return False
        if not tail:
            return self._match(text, partial=True)
        return any(self._match(text + char, partial=True) for char in self._representatives(tail))

    def whole(self, data: bytes) -> bool:
        """Return True if `data` is a complete match. Raises `LabError` after a timeout."""
        text, tail = _characters(data)
        return text is not None and not tail and self._match(text, partial=False)

    def _match(self, text: str, *, partial: bool) -> bool:
        try:
            return bool(self._compiled.fullmatch(text, partial=partial, timeout=self._patience))
        except TimeoutError as error:
            raise _too_slow() from error

    def _representatives(self, tail: bytes) -> list[str]:
        """Return one character from each range that contains characters beginning with `tail`.

        `tail` contains the first bytes of a character. The pattern treats all characters in a range
        alike, so one of them is enough.
        """
        first, last = _range(tail)
        inner = self._borders[bisect_right(self._borders, first) :]
        codes = [first, *(code for code in inner if code <= last)]
        return [chr(code) for code in codes if not 0xD800 <= code < 0xE000]


Format = Choices | Pattern


def _too_slow() -> LabError:
    return LabError(
        "This pattern takes too long because there are too many ways to match it.",
        "Avoid repetitions inside repetitions.",
    )


def _compiled(pattern: str) -> regex.Pattern[str]:
    if not pattern:
        raise LabError("The pattern is empty.", r"Write a pattern, such as \d{4}.")
    if len(pattern) > LONGEST_PATTERN:
        raise LabError(
            _("The pattern has more than {longest_pattern} characters.").format(
                longest_pattern=LONGEST_PATTERN
            ),
            "Shorten it.",
        )
    accepted = _ALLOWED.match(pattern)
    end = 0 if accepted is None else accepted.end()
    if end < len(pattern):
        raise LabError(
            _("The pattern is invalid at {pattern!r} (character {end}).").format(
                pattern=pattern[end : end + 2], end=end + 1
            ),
            r"Use characters, . [a-z] \d \w \s (a|b) ? * + {2,5}, and \ before a literal symbol.",
        )
    if any(int(count) > MOST_REPEATS for count in regex.findall(r"(?<=[{,])\d+(?=[,}])", pattern)):
        raise LabError(
            _("A pattern can repeat an element at most {most_repeats} times.").format(
                most_repeats=MOST_REPEATS
            ),
            "Use a smaller number.",
        )
    try:
        return regex.compile(pattern, regex.ASCII)
    except regex.error as error:
        raise LabError(
            _("The pattern is invalid: {error}.").format(error=error), "Check its brackets."
        ) from error


def _characters(data: bytes) -> tuple[str | None, bytes]:
    """Split `data` into its complete characters, and the bytes of an incomplete last character.

    The characters are None if `data` is not the beginning of valid UTF-8.
    """
    try:
        return data.decode(), b""
    except UnicodeDecodeError as error:
        tail = data[error.start :]
        if error.reason != "unexpected end of data" or error.end != len(data):
            return None, b""
        return data[: error.start].decode(), tail


def _range(tail: bytes) -> tuple[int, int]:
    """Return the lowest and highest code point whose UTF-8 encoding begins with these bytes.

    After the lead bytes E0, ED, F0 and F4, the range of the second byte is restricted (RFC 3629).
    """
    lead, missing = tail[0], (2 if tail[0] < 0xE0 else 3 if tail[0] < 0xF0 else 4) - len(tail)
    low, high = b"\x80" * missing, b"\xbf" * missing
    if len(tail) == 1:
        low = {0xE0: b"\xa0", 0xF0: b"\x90"}.get(lead, b"\x80") + low[1:]
        high = {0xED: b"\x9f", 0xF4: b"\x8f"}.get(lead, b"\xbf") + high[1:]
    return ord((tail + low).decode()), ord((tail + high).decode())


class Vocabulary:
    """A model's tokens, sorted by their bytes.

    Tokens with a common prefix are adjacent. If a format rejects the prefix, it rejects all of
    these tokens, so they are not tested one by one.
    """

    def __init__(self, tokens: Mapping[int, bytes]) -> None:
        """Sort the tokens, given as a mapping from ids to bytes.

        Tokens without bytes are left out.
        """
        self._ids: dict[bytes, list[int]] = {}
        for id_, data in tokens.items():
            if data:
                self._ids.setdefault(data, []).append(id_)
        self._sorted = sorted(self._ids)

    def allowed(self, format_: Format, before: bytes, patience: float = PATIENCE) -> list[int]:
        """Return the ids of the tokens that can follow the bytes `before`, in ascending order.

        Raises `LabError` if this takes longer than `patience` seconds of CPU time.
        """
        latest = time.process_time() + patience
        found: list[int] = []
        for __, alike in groupby(self._sorted, key=lambda data: data[:1]):
            for data in _taken(format_, before, list(alike), depth=1):
                found += self._ids[data]
            if time.process_time() > latest:
                raise _too_slow()
        return sorted(found)


def _taken(format_: Format, before: bytes, alike: list[bytes], depth: int) -> list[bytes]:
    """Return the tokens in `alike` that the format allows after the bytes `before`.

    The tokens in `alike` all begin with the same `depth` bytes.
    """
    if len(alike) > FEW and not format_.begins(before + alike[0][:depth]):
        return []
    if depth == DEEPEST or len(alike) <= FEW:
        return [data for data in alike if format_.begins(before + data)]
    groups = groupby(alike, key=lambda data: data[: depth + 1])
    return [data for _, group in groups for data in _taken(format_, before, [*group], depth + 1)]
