"""Define the result of grading an answer."""

from typing import Literal

import msgspec

from tutor.language import _

Mark = Literal["right", "wrong", "missed", "left"]
"""Chosen and right; chosen but wrong; right but not chosen; neither right nor chosen."""


class Note(msgspec.Struct, frozen=True):
    """The note next to a choice, an item to be ordered, or a left side to be matched."""

    mark: Mark
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """The result of grading an answer.

    `counted` is False if the answer could not be interpreted (such as "abc" for a number). It is
    then not recorded, and the learner may try again. `message` is one or two sentences and does not
    include the question's own `why`. `notes` has one note per choice, item or pair, in the order of
    the file.
    """

    correct: bool
    message: str
    notes: tuple[Note, ...] = ()
    counted: bool = True


def mark(right: bool, chosen: bool) -> Mark:
    """Return the mark for a choice, depending on whether it is `right` and was `chosen`."""
    if chosen:
        return "right" if right else "wrong"
    return "missed" if right else "left"


def nothing_typed(advice: str) -> Verdict:
    """Return the verdict on an empty field, which does not count as an answer."""
    return Verdict(False, _("The field is empty. {advice}").format(advice=advice), counted=False)
