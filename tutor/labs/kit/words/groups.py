"""The groups of words on a map: bundled groups, and groups that the learner typed."""

from __future__ import annotations

import re

import msgspec

from tutor.errors import LabError
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.words.word import listed, of_bearable_length

MOST_WORDS = 36
MOST_GROUPS = 5
"""The maximum number of groups on a map. More groups could not be told apart without color."""


class Group(msgspec.Struct, frozen=True):
    name: str
    words: tuple[str, ...]


class Words(msgspec.Struct, frozen=True):
    """The groups of words on a map. `left_out` is the number of words that didn't fit."""

    title: str
    groups: tuple[Group, ...]
    own: bool = False
    left_out: int = 0

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(word for group in self.groups for word in group.words)

    @property
    def written(self) -> str:
        """Return the groups in the form in which the learner would type them."""
        return "; ".join(" ".join(group.words) for group in self.groups)

    @property
    def group_of(self) -> tuple[int, ...]:
        """Return the index of each word's group, in the order of the words in `all`."""
        return tuple(place for place, group in enumerate(self.groups) for _ in group.words)


def _shipped(title: str, **groups: str) -> Words:
    made = (Group(name.replace("_", " "), tuple(text.split())) for name, text in groups.items())
    return Words(title, tuple(made))


SHIPPED: tuple[Words, ...] = (
    _shipped(
        "everyday words",
        animals="cat dog horse cow pig lion wolf mouse",
        food="bread milk cheese rice soup meat butter sugar",
        days="Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    ),
    _shipped(
        "countries",
        countries="France Germany Italy Spain Japan China Russia Greece",
        capitals="Paris Berlin Rome Madrid Tokyo Beijing Moscow Athens",
    ),
    _shipped(
        "counting",
        months="January February March April May June July August September October",
        numbers="one two three four five six seven eight nine ten",
    ),
    _shipped(
        "verbs",
        now="walk talk play work look ask open call",
        then="walked talked played worked looked asked opened called",
    ),
    _shipped(
        "people",
        hers="queen princess woman girl mother sister aunt daughter",
        his="king prince man boy father brother uncle son",
    ),
    _shipped(
        "things",
        instruments="piano guitar violin drum flute trumpet",
        planets="Mercury Venus Mars Jupiter Saturn Neptune",
        metals="gold silver copper iron tin lead zinc",
    ),
)


def own_words(text: str) -> Words:
    """Parse the groups that the learner typed, which are separated by semicolons.

    A `/` between spaces also separates groups, because it separates texts in other labs.

    Raises `LabError` if there are too few words for a map, or if a word is too long.
    """
    groups: list[Group] = []
    seen: set[str] = set()
    left_out = 0
    for number, part in enumerate(re.split(r"[;\n]|(?<!\S)/(?!\S)", text), start=1):
        words, more = listed(part, MOST_WORDS)
        fresh = tuple(of_bearable_length(word) for word in words if word not in seen)
        room = 0 if len(groups) == MOST_GROUPS else max(0, MOST_WORDS - len(seen))
        left_out += more + max(0, len(fresh) - room)
        if fresh[:room]:
            groups.append(Group(f"group {number}", fresh[:room]))
            seen |= set(fresh[:room])
    if len(seen) < 3:
        raise LabError(
            "A map needs at least three words.", "For example: cat dog cow; seven eight nine"
        )
    return Words("your own", tuple(groups), own=True, left_out=left_out)


def edit_words(text: str) -> EditText:
    """Return the action that shows these words on the map.

    Raises the same errors as `own_words`.
    """
    own_words(text)
    return EditText(text)
