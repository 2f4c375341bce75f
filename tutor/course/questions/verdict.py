"""The result of grading an answer."""

from typing import Literal

import msgspec

Mark = Literal["right", "wrong", "missed", "left"]
"""Chosen and right; chosen and wrong; right but not chosen; wrong and not chosen."""


class Note(msgspec.Struct, frozen=True):
    """The note beside one choice, item to be ordered, or left side to be matched."""

    mark: Mark
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """The result of grading an answer.

    `counted` is False if the answer could not be understood ("abc" for a number): nothing is
    recorded, and the learner may try again. `message` is one or two sentences; the question's
    own `why` is not part of it. `notes` are about the choices, items or pairs, in the order of
    the file.
    """

    correct: bool
    message: str
    notes: tuple[Note, ...] = ()
    counted: bool = True


def mark(right: bool, chosen: bool) -> Mark:
    """Return the mark for a choice, by whether it is `right` and whether it was `chosen`."""
    if chosen:
        return "right" if right else "wrong"
    return "missed" if right else "left"


def nothing_typed(advice: str) -> Verdict:
    """Return the verdict on an empty field, which does not count as an answer."""
    return Verdict(False, f"Nothing was typed. {advice}", counted=False)
