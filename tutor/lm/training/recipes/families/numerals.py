"""Write numbers up to 999,999 in words: 407 is "four hundred seven"."""

from __future__ import annotations

import random

LARGEST = 999_999
ALWAYS_TRAINED = 100
"""The smallest number that can be held out from training.

The words for smaller numbers occur in the words for larger numbers, so the model has to learn all
of them.
"""

_WORDS = (
    "zero one two three four five six seven eight nine "
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
)
WORDS = tuple(_WORDS.split())
ONES, TEENS, TENS = WORDS[:10], WORDS[10:20], WORDS[20:28]


def in_words(number: int) -> tuple[str, ...]:
    """Return the words for a number from 0 to `LARGEST`."""
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is not between 0 and {LARGEST}")
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _below_thousand(rest) or (ONES[0],)
    return (*_below_thousand(thousands), "thousand", *_below_thousand(rest))


def _below_thousand(number: int) -> tuple[str, ...]:
    """Return the words of a number below 1000. The result is empty for 0."""
    hundreds, rest = divmod(number, 100)
    words = (ONES[hundreds], "hundred") if hundreds else ()
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        return (*words, TENS[tens - 2], *((ONES[ones],) if ones else ()))
    if rest >= 10:
        return (*words, TEENS[rest - 10])
    return (*words, ONES[rest]) if rest else words


def some_number(pick: random.Random) -> int:
    """Return a random number of 1 to 6 digits.

    All lengths are equally probable. Zeros are more frequent than other digits, because they are
    harder for the model: the words for a number don't mention them.
    """
    digits = 1 + int(pick.random() * 6)
    drawn = [1 + int(pick.random() * 9)]
    drawn += [0 if pick.random() < 0.2 else int(pick.random() * 10) for _ in range(digits - 1)]
    if digits == 1 and pick.random() < 0.1:
        return 0
    return int("".join(map(str, drawn)))
