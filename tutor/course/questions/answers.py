"""Define answers, and convert them to text for the learner's log and for drafts.

Choices, items and pairs are identified by their index in the lesson file, counted from 0. This does
not depend on their order on the screen. In the text of an answer, they are counted from 1: "2" or
"1,3".
"""

from collections.abc import Sequence, Set
from typing import TypeGuard

import msgspec

from tutor.text import writable

LONGEST = 200
"""The maximum number of characters of a typed answer that are stored."""


class AnswerWithFields(msgspec.Struct, frozen=True):
    """An answer with several fields. Its question type converts it to text."""


Answer = int | Set[int] | Sequence[int] | str | AnswerWithFields
"""An answer to a question of any type: an index, several indexes, a text, or several fields."""


def is_sequence(answer: Answer) -> TypeGuard[Sequence[int]]:
    """Return True if the answer is a sequence of indexes in the order that the learner chose."""
    return isinstance(answer, Sequence) and not isinstance(answer, str)


def as_text(answer: Answer) -> str:
    """Return an answer as text. Raises `TypeError` for an answer with several fields."""
    match answer:
        case str():
            return writable(answer)[:LONGEST]
        case int():
            return str(answer + 1)
        case AnswerWithFields():
            raise TypeError(f"only the answer's own question type can convert {answer!r} to text")
        case _:
            places = sorted(answer) if isinstance(answer, Set) else answer
            return ",".join(str(place + 1) for place in places)


def places(text: str, count: int, *, repeats: bool = False) -> tuple[int, ...]:
    """Return the indexes in the text of an answer, or an empty result if the text is not valid.

    All indexes must be below `count`. No index may appear twice, unless `repeats` is set.
    """
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        return ()
    found = tuple(int(part) - 1 for part in parts)
    different = repeats or len(set(found)) == len(found)
    sound = different and all(0 <= place < count for place in found)
    return found if sound else ()


def one_place(text: str, count: int) -> int | None:
    """Return the index in `text`, or None if `text` is not a single index below `count`."""
    found = places(text, count)
    return found[0] if len(found) == 1 else None


def all_places(text: str, count: int, *, repeats: bool = False) -> tuple[int, ...] | None:
    """Return the `count` indexes in `text`, each below `count`, or None if `text` is not valid."""
    found = places(text, count, repeats=repeats)
    return found if len(found) == count else None
