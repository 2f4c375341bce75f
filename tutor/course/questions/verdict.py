"""What came of an answer."""

from typing import Literal

import msgspec

Mark = Literal["right", "wrong", "missed", "left"]
"""Chosen and right; chosen and wrong; right but not chosen; wrong and rightly left alone."""


class Note(msgspec.Struct, frozen=True):
    """What to say beside one choice, item to be ordered, or left side to be matched."""

    mark: Mark
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """What came of an answer.

    `counted` is False when the answer could not be understood ("abc" for a number): nothing is
    recorded, and the learner may type again. `message` is one or two sentences; the question's
    own `why` is not part of it. `notes` go with the choices, items or pairs, in the order of the
    file.
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
