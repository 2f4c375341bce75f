"""Define the result of grading an answer."""

from typing import Literal

import msgspec

from tutor.language import _

Mark = Literal["right", "wrong", "missed", "left"]
"""The mark next to a choice or another part of a question.

- "right": chosen and right
- "wrong": chosen but wrong
- "missed": right but not chosen
- "left": neither right nor chosen
"""


class Note(msgspec.Struct, frozen=True):
    """The note next to a choice, an item to order, or a left-hand item to match."""

    mark: Mark
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """The result of grading an answer.

    `message` is one or two sentences and does not include the question's own `why`. `notes` has one
    note for each choice, item or pair, in the order of the lesson file. `counted` is False if the
    answer could not be interpreted, such as "abc" for a number. Such an answer is not stored, and
    the learner can try again.
    """

    correct: bool
    message: str
    notes: tuple[Note, ...] = ()
    counted: bool = True


def mark(right: bool, chosen: bool) -> Mark:
    """Return the mark for a choice.

    `right` is True if the choice belongs to the right answer, and `chosen` is True if the learner
    chose it.
    """
    if chosen:
        return "right" if right else "wrong"
    return "missed" if right else "left"


def nothing_typed(advice: str) -> Verdict:
    """Return the verdict on an empty field, which does not count as an answer."""
    return Verdict(False, _("The field is empty. {advice}").format(advice=advice), counted=False)
