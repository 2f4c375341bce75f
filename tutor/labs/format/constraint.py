r"""Formats that a text has to match, enforced token by token.

Before each draw we ask of every token in the vocabulary: if it came next, could the text still
become one that matches the format? If not, the token is masked: its probability is set to 0, and
the draw is made among the others. Every text that is generated in this way matches the format when
it ends. The mask ignores what the text means.

A format answers two questions about the bytes generated so far:

    begins(data)    Could this still become a text that matches the format?
    whole(data)     Does it match the format now? Only then may the text end.

We use bytes and not characters because a token can hold a part of a character. "é" is the two
bytes C3 A9, and a vocabulary may have a token for each: after C3, the format has to decide whether
any character that begins with C3 is allowed.

There are two kinds. `Choices` is a list of texts. `Pattern` is a regular expression, matched with
the `regex` package, which can tell whether a text is the beginning of a match (`partial=True`). It
accepts only the syntax of regular languages:

    abc     these characters                    .       any character except a line break
    [abc]   one of these; [a-z], [^abc]         \d \w \s and \D \W \S, in ASCII
    a|b     one or the other                    (a)     a group
    a?  a*  a+  a{2}  a{2,5}                    \.      a literal character

Lookaround (`(?=`), backreferences (`\1`) and Unicode properties (`\p{L}`) are refused. Characters
that are not in the pattern therefore fall into a few ranges, between the characters that are in it,
and the pattern treats all characters of a range alike (`Pattern._speakers`).
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import groupby

import regex

from tutor.errors import LabError

LONGEST_PATTERN = 200
MOST_REPEATS = 200
PATIENCE = 1.0
"""Seconds of CPU time that one mask may take. A pattern that takes longer has too many ways to
match, such as `(a|aa)+b`, where they grow exponentially with the length of the text."""

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
"""At most `FEW` tokens are tested one by one, and so are tokens that share `DEEPEST` bytes."""


class Choices:
    """A format that allows exactly one of several texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(dict.fromkeys(text for text in texts if text))
        self._data = tuple(text.encode() for text in self.texts)
        if not self._data:
            raise LabError("There are no choices.", "Write texts with | between them.")

    def begins(self, data: bytes) -> bool:
        return any(each.startswith(data) for each in self._data)

    def whole(self, data: bytes) -> bool:
        return data in self._data


class Pattern:
    """A format that allows every text that a regular expression matches as a whole.

    Raises `LabError` for a pattern that is invalid or uses more than regular languages have.
    """

    def __init__(self, pattern: str, patience: float = PATIENCE) -> None:
        self.pattern = pattern
        self._patience = patience
        self._compiled = _compiled(pattern)
        # The pattern can treat a character differently from the one before it only at these codes:
        # at each character in the pattern, and just after it.
        codes = {ord(char) for char in pattern if not char.isascii()}
        self._borders = sorted(codes | {code + 1 for code in codes})

    def begins(self, data: bytes) -> bool:
        """Return whether `data` begins a match. Raises `LabError` when time is up."""
        text, tail = _characters(data)
        if text is None:
            return False
        if not tail:
            return self._match(text, partial=True)
        return any(self._match(text + char, partial=True) for char in self._speakers(tail))

    def whole(self, data: bytes) -> bool:
        """Return whether `data` is a match. Raises `LabError` when time is up."""
        text, tail = _characters(data)
        return text is not None and not tail and self._match(text, partial=False)

    def _match(self, text: str, *, partial: bool) -> bool:
        try:
            return bool(self._compiled.fullmatch(text, partial=partial, timeout=self._patience))
        except TimeoutError as error:
            raise _too_slow() from error

    def _speakers(self, tail: bytes) -> list[str]:
        """Return characters whose bytes begin with `tail`, one for each range.

        The pattern treats all characters of a range alike, so one of them represents the others.
        """
        first, last = _range(tail)
        inner = self._borders[bisect_right(self._borders, first) :]
        codes = [first, *(code for code in inner if code <= last)]
        return [chr(code) for code in codes if not 0xD800 <= code < 0xE000]


Format = Choices | Pattern


def _too_slow() -> LabError:
    return LabError(
        "This pattern takes too long, since there are too many ways to match it.",
        "Write it without a repetition inside a repetition.",
    )


def _compiled(pattern: str) -> regex.Pattern[str]:
    if not pattern:
        raise LabError("The pattern is empty.", r"Write one, such as \d{4}.")
    if len(pattern) > LONGEST_PATTERN:
        raise LabError(f"The pattern has more than {LONGEST_PATTERN} characters.", "Shorten it.")
    accepted = _ALLOWED.match(pattern)
    end = 0 if accepted is None else accepted.end()
    if end < len(pattern):
        raise LabError(
            f"The pattern is not valid at {pattern[end : end + 2]!r} (character {end + 1}).",
            r"Use characters, . [a-z] \d \w \s (a|b) ? * + {2,5}, and \ before a literal sign.",
        )
    if any(int(count) > MOST_REPEATS for count in regex.findall(r"(?<=[{,])\d+(?=[,}])", pattern)):
        raise LabError(
            f"A pattern can have at most {MOST_REPEATS} repetitions.", "Write a smaller number."
        )
    try:
        return regex.compile(pattern, regex.ASCII)
    except regex.error as error:
        raise LabError(f"This is not a valid pattern: {error}.", "Check its brackets.") from error


def _characters(data: bytes) -> tuple[str | None, bytes]:
    """Return the complete characters of `data`, and the bytes of an incomplete one at its end.

    The characters are None if no further byte can make `data` valid UTF-8.
    """
    try:
        return data.decode(), b""
    except UnicodeDecodeError as error:
        tail = data[error.start :]
        if error.reason != "unexpected end of data" or error.end != len(data):
            return None, b""
        return data[: error.start].decode(), tail


def _range(tail: bytes) -> tuple[int, int]:
    """Return the first and the last character that begin with these bytes.

    After four of the lead bytes, the second byte has a smaller range than usual (RFC 3629).
    """
    lead, missing = tail[0], (2 if tail[0] < 0xE0 else 3 if tail[0] < 0xF0 else 4) - len(tail)
    low, high = b"\x80" * missing, b"\xbf" * missing
    if len(tail) == 1:
        low = {0xE0: b"\xa0", 0xF0: b"\x90"}.get(lead, b"\x80") + low[1:]
        high = {0xED: b"\x9f", 0xF4: b"\x8f"}.get(lead, b"\xbf") + high[1:]
    return ord((tail + low).decode()), ord((tail + high).decode())


class Vocabulary:
    """The tokens of a model, sorted by their bytes.

    Tokens that share a prefix are neighbors: if a format refuses the prefix, all of them are out.
    """

    def __init__(self, tokens: Mapping[int, bytes]) -> None:
        """Sort `tokens`, the bytes of each id. Tokens without bytes are left out."""
        self._ids: dict[bytes, list[int]] = {}
        for id_, data in tokens.items():
            if data:
                self._ids.setdefault(data, []).append(id_)
        self._sorted = sorted(self._ids)

    def allowed(self, format_: Format, before: bytes, patience: float = PATIENCE) -> list[int]:
        """Return the ids of the tokens that may come after `before`, in ascending order.

        Raises `LabError` when that takes longer than `patience` seconds.
        """
        latest = time.process_time() + patience
        found: list[int] = []
        for _, alike in groupby(self._sorted, key=lambda data: data[:1]):
            for data in _taken(format_, before, list(alike), depth=1):
                found += self._ids[data]
            if time.process_time() > latest:
                raise _too_slow()
        return sorted(found)


def _taken(format_: Format, before: bytes, alike: list[bytes], depth: int) -> list[bytes]:
    """Return the tokens that the format allows, out of those that share `depth` bytes."""
    if len(alike) > FEW and not format_.begins(before + alike[0][:depth]):
        return []
    if depth == DEEPEST or len(alike) <= FEW:
        return [data for data in alike if format_.begins(before + data)]
    groups = groupby(alike, key=lambda data: data[: depth + 1])
    return [data for _, group in groups for data in _taken(format_, before, [*group], depth + 1)]
