"""Define answers, and their form as text in the learner's log and in drafts.

Choices, items and pairs are identified by their index in the lesson file, counted from 0, whatever
their order on the screen. In the text of an answer they are counted from 1: "2", "1,3".
"""

from collections.abc import Sequence, Set
from typing import TypeGuard

import msgspec

from tutor.text import writable

LONGEST = 200
"""The number of typed characters that are stored."""


class AnswerWithFields(msgspec.Struct, frozen=True):
    """An answer with its own fields. Its question type writes it as text."""


Answer = int | Set[int] | Sequence[int] | str | AnswerWithFields
"""Any answer; the module of a question type defines which kind it uses."""


def is_sequence(answer: Answer) -> TypeGuard[Sequence[int]]:
    """Return whether the answer is a sequence of indexes, in the learner's order."""
    return isinstance(answer, Sequence) and not isinstance(answer, str)


def as_text(answer: Answer) -> str:
    """Write an answer as text. Raises `TypeError` for one with fields of its own."""
    match answer:
        case str():
            return writable(answer)[:LONGEST]
        case int():
            return str(answer + 1)
        case AnswerWithFields():
            raise TypeError(f"only its question type can write {answer!r} as text")
        case _:
            places = sorted(answer) if isinstance(answer, Set) else answer
            return ",".join(str(place + 1) for place in places)


def places(text: str, count: int, *, repeats: bool = False) -> tuple[int, ...]:
    """Read indexes below `count` from the text of an answer.

    They must differ, unless `repeats` are allowed. Return an empty tuple if `text` is anything
    else.
    """
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        return ()
    found = tuple(int(part) - 1 for part in parts)
    different = repeats or len(set(found)) == len(found)
    sound = different and all(0 <= place < count for place in found)
    return found if sound else ()


def one_place(text: str, count: int) -> int | None:
    """Read exactly one index below `count`, or return None if `text` is anything else."""
    found = places(text, count)
    return found[0] if len(found) == 1 else None


def all_places(text: str, count: int, *, repeats: bool = False) -> tuple[int, ...] | None:
    """Read `count` indexes below `count`, or return None if `text` is anything else."""
    found = places(text, count, repeats=repeats)
    return found if len(found) == count else None
