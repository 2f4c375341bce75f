"""Match messages against the patterns of a rule-based bot.

    *          any words, or none          open/opened   one of these words
    _          exactly one word            *day          a word with this ending

A pattern is compared with the whole message, word by word, ignoring case and punctuation. The words
that match a `*`, a `_` or a word that contains a `*` are captured, in order.

The stars divide a pattern into segments. If a segment matches at several positions, the first of
these positions leaves the most room for the segments after it, so no other position has to be
tried. For any pattern, the matching time is therefore at most proportional to the length of the
pattern times the length of the message. (Some regular expressions take practically forever.)
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tutor.bots.errors import BotError

LONGEST = 200
"""The maximum number of characters in a pattern."""

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")

Element = tuple[str, ...]
"""An element of a pattern: the alternative words that match at this point.

`("*",)` matches any number of words, and `("_",)` matches any single word.
"""
_ANY: Element = ("*",)


class Span(NamedTuple):
    """A range of words in a message, from index `start` up to, but not including, index `end`."""

    start: int
    end: int


class Match(NamedTuple):
    """A match of a pattern against a message.

    `captures` contains the captured words, in order. `literal` contains the indices of the words
    that match literal words of the pattern.
    """

    captures: tuple[Span, ...]
    literal: tuple[int, ...]


def words_of(text: str) -> list[str]:
    """Return the words of a text, without the punctuation between them. The case is unchanged."""
    return _WORD.findall(text)


def folded(word: str) -> str:
    """Return a word in the form that is used for comparison: lowercase, with plain apostrophes."""
    return word.casefold().replace("’", "'")


@lru_cache(maxsize=4096)
def parse(pattern: str) -> tuple[Element, ...]:
    """Parse a pattern, and return its elements. Raises `BotError` if the pattern is invalid."""
    if len(pattern) > LONGEST:
        raise BotError(f"The pattern has more than {LONGEST} characters.", "Use fewer words.")
    elements = tuple(_element(each) for each in pattern.split())
    if not elements or all(element == _ANY for element in elements):
        raise BotError("A pattern needs at least one word.", "For example: * parrot *")
    for one, other in pairwise(elements):
        if one == other == _ANY:
            raise BotError("Two stars in a row mean the same as one.", "Remove one of them.")
    return elements


def _element(text: str) -> Element:
    alternatives = tuple(folded(each) for each in text.split("/"))
    for each in alternatives:
        alone = each in ("*", "_") and len(alternatives) == 1
        if not alone and not _WORD.fullmatch(each.replace("*", "", 1)):
            raise BotError(
                f"“{text}” is not allowed in a pattern.",
                "Use words, * for any words, _ for one word, a/b for a or b, or *day for any word "
                "that ends in “day”.",
            )
    return alternatives


def captures_of(pattern: str) -> int:
    """Return the number of captures in a pattern."""
    return sum(any(_is_open(each) for each in element) for element in parse(pattern))


def _is_open(alternative: str) -> bool:
    return alternative == "_" or "*" in alternative


def match(pattern: str, words: Sequence[str]) -> Match | None:
    """Match a pattern against the words of a message.

    `words` must be in the form that `folded` returns. Returns None if the pattern does not match.
    """
    segments = _segments(parse(pattern))
    starts = _starts(segments, words)
    if starts is None:
        return None
    captures: list[Span] = []
    literal: list[int] = []
    end = 0
    for number, (segment, start) in enumerate(zip(segments, starts, strict=True)):
        if number:
            captures.append(Span(end, start))
        for at, element in enumerate(segment, start=start):
            if any(_is_open(each) for each in element):
                captures.append(Span(at, at + 1))
            else:
                literal.append(at)
        end = start + len(segment)
    return Match(tuple(captures), tuple(literal))


def _segments(elements: Sequence[Element]) -> list[list[Element]]:
    """Divide a pattern into the segments between its stars.

    A pattern with n stars has n + 1 segments, some of which can be empty.
    """
    segments: list[list[Element]] = [[]]
    for element in elements:
        if element == _ANY:
            segments.append([])
        else:
            segments[-1].append(element)
    return segments


def _starts(segments: Sequence[Sequence[Element]], words: Sequence[str]) -> list[int] | None:
    """Return the index of the word at which each segment starts, or None if there is no match.

    The first segment is at the beginning of the message, and the last segment is at the end. Every
    other segment is at the first position at which it matches.
    """
    last = len(words) - len(segments[-1])
    if not _fits(segments[0], words, 0):
        return None
    starts, end = [0], len(segments[0])
    for segment in segments[1:-1]:
        start = next((at for at in range(end, last + 1) if _fits(segment, words, at)), None)
        if start is None:
            return None
        starts.append(start)
        end = start + len(segment)
    if len(segments) == 1:
        return starts if last == 0 else None
    if last < end or not _fits(segments[-1], words, last):
        return None
    return [*starts, last]


def _fits(segment: Sequence[Element], words: Sequence[str], start: int) -> bool:
    if start + len(segment) > len(words):
        return False
    return all(
        any(_is_word(each, words[at]) for each in element)
        for at, element in enumerate(segment, start=start)
    )


def _is_word(alternative: str, word: str) -> bool:
    if alternative == "_":
        return True
    before, star, after = alternative.partition("*")
    if not star:
        return word == alternative
    long_enough = len(word) > len(before) + len(after)
    return long_enough and word.startswith(before) and word.endswith(after)
