"""The order in which choices are shown: shuffled, and the same for the same seed.

Sorting by a hash needs no random generator whose sequence could change with a Python version, so
a quiz that was left weeks ago is found again as it was.
"""

from __future__ import annotations

from hashlib import blake2b

from tutor.course.questions.question import (
    MatchQuestion,
    OrderQuestion,
    Question,
    SeveralChoices,
    SingleChoice,
)


def choice_order(question: Question, seed: int) -> tuple[int, ...]:
    """The places (from 0, in the file) of the choices, items or right sides, in the order to show
    them.

    Empty for a question that has none. Items to be put in order are never shown in their right
    order, nor right sides each beside its left.
    """
    match question:
        case SingleChoice() | SeveralChoices():
            return _shuffled(len(question.choices), f"{seed}/{question.id}")
        case OrderQuestion():
            return _out_of_order(len(question.items), f"{seed}/{question.id}")
        case MatchQuestion():
            return _out_of_order(len(question.pairs), f"{seed}/{question.id}")
        case _:
            return ()


def _out_of_order(count: int, salt: str) -> tuple[int, ...]:
    order = _shuffled(count, salt)
    return order if list(order) != sorted(order) else (*order[1:], order[0])


def _shuffled(count: int, salt: str) -> tuple[int, ...]:
    def key(index: int) -> bytes:
        return blake2b(f"{salt}/{index}".encode(), digest_size=16).digest()

    return tuple(sorted(range(count), key=key))
