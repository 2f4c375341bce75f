"""Patterns of a rule-based bot: a small language for what a message may look like.

    *          any words, or none          open/opened   one of these words
    _          exactly one word            *day          one word that ends so

A pattern is compared with the whole message, word by word; capitals and punctuation do not count.
What `*`, `_` and a word with a `*` in it stand for is captured, in order.

The stars cut a pattern into pieces. If a piece fits at several places, the earliest leaves the most
room for those after it, so none of the other places ever has to be tried: the work is at most the
length of the pattern times that of the message, whatever somebody writes. (A regular expression
can be made to take forever.)
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tutor.bots.errors import BotError

LONGEST = 200
"""Characters of a pattern."""

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")

Element = tuple[str, ...]
"""The words that may stand here: `("*",)` for any number, `("_",)` for any one."""
_ANY: Element = ("*",)


class Span(NamedTuple):
    """Words of the message, from `start` up to, not including, `end`."""

    start: int
    end: int


class Match(NamedTuple):
    """`captures` are the spans captured, in order; `literal` the places of the words that the
    pattern names itself."""

    captures: tuple[Span, ...]
    literal: tuple[int, ...]


def words_of(text: str) -> list[str]:
    """The words as they are written, without punctuation around them."""
    return _WORD.findall(text)


def folded(word: str) -> str:
    """A word as patterns compare it."""
    return word.casefold().replace("’", "'")


@lru_cache(maxsize=4096)
def parse(pattern: str) -> tuple[Element, ...]:
    """The elements of a pattern. Raises `BotError`."""
    if len(pattern) > LONGEST:
        raise BotError(f"A pattern has {LONGEST} characters at most.", "Say it in fewer words.")
    elements = tuple(_element(each) for each in pattern.split())
    if not elements or all(element == _ANY for element in elements):
        raise BotError("A pattern needs at least one word.", "For example: * parrot *")
    for one, other in pairwise(elements):
        if one == other == _ANY:
            raise BotError("Two stars in a row say no more than one.", "Remove one of them.")
    return elements


def _element(text: str) -> Element:
    alternatives = tuple(folded(each) for each in text.split("/"))
    for each in alternatives:
        alone = each in ("*", "_") and len(alternatives) == 1
        if not alone and not _WORD.fullmatch(each.replace("*", "", 1)):
            raise BotError(
                f"“{text}” cannot stand in a pattern.",
                "Use words, * for any words, _ for one word, a/b for either, *day for an ending.",
            )
    return alternatives


def captures_of(pattern: str) -> int:
    """How many captures a pattern has."""
    return sum(any(_is_open(each) for each in element) for element in parse(pattern))


def _is_open(alternative: str) -> bool:
    return alternative == "_" or "*" in alternative


def match(pattern: str, words: Sequence[str]) -> Match | None:
    """How the pattern fits a message of these words (`folded`); None if it does not."""
    pieces = _pieces(parse(pattern))
    places = _places(pieces, words)
    if places is None:
        return None
    captures: list[Span] = []
    literal: list[int] = []
    end = 0
    for number, (piece, place) in enumerate(zip(pieces, places, strict=True)):
        if number:
            captures.append(Span(end, place))
        for at, element in enumerate(piece, start=place):
            if any(_is_open(each) for each in element):
                captures.append(Span(at, at + 1))
            else:
                literal.append(at)
        end = place + len(piece)
    return Match(tuple(captures), tuple(literal))


def _pieces(elements: Sequence[Element]) -> list[list[Element]]:
    """What stands between the stars: one piece more than there are stars."""
    pieces: list[list[Element]] = [[]]
    for element in elements:
        if element == _ANY:
            pieces.append([])
        else:
            pieces[-1].append(element)
    return pieces


def _places(pieces: Sequence[Sequence[Element]], words: Sequence[str]) -> list[int] | None:
    """Where each piece begins: the first at the start of the message, the last at its end, those
    between as early as they can."""
    last = len(words) - len(pieces[-1])
    if not _fits(pieces[0], words, 0):
        return None
    places, end = [0], len(pieces[0])
    for piece in pieces[1:-1]:
        place = next((at for at in range(end, last + 1) if _fits(piece, words, at)), None)
        if place is None:
            return None
        places.append(place)
        end = place + len(piece)
    if len(pieces) == 1:
        return places if last == 0 else None
    if last < end or not _fits(pieces[-1], words, last):
        return None
    return [*places, last]


def _fits(piece: Sequence[Element], words: Sequence[str], place: int) -> bool:
    if place + len(piece) > len(words):
        return False
    return all(
        any(_is_word(each, words[at]) for each in element)
        for at, element in enumerate(piece, start=place)
    )


def _is_word(alternative: str, word: str) -> bool:
    if alternative == "_":
        return True
    before, star, after = alternative.partition("*")
    if not star:
        return word == alternative
    long_enough = len(word) > len(before) + len(after)
    return long_enough and word.startswith(before) and word.endswith(after)
