"""The data of the adviser: needs, options, how well each option meets each need, and cases.

`tutor.labs.adviser.data_files` reads it from `lessons/adviser.yaml` and `lessons/cases.yaml`.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Level = Literal["not", "partly", "well", "fully"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The names of the levels 0 to 3 at which an option can meet a need."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of a need, such as images as input.

    `must` is its meaning as a condition, and `least` the level that an option must reach then.
    `place` is its index among the kinds of all needs.
    """

    id: str
    name: str
    must: str
    least: int
    place: int


class Need(msgspec.Struct, frozen=True):
    id: str
    name: str
    asks: str
    kinds: tuple[Kind, ...]


class DatedFact(msgspec.Struct, frozen=True):
    """A fact that `source` stated in the month `as_of` (year-month).

    `second_hand` is True if the source is not the vendor.
    """

    id: str
    product: str
    topic: str
    value: str
    as_of: str
    source: str
    second_hand: bool


class Serving(msgspec.Struct, frozen=True):
    """The level at which an option meets one kind of need, and the reason in one sentence.

    `facts` are the facts behind it that a vendor can change.
    """

    level: int
    why: str
    facts: tuple[DatedFact, ...] = ()


class Option(msgspec.Struct, frozen=True):
    """An option, with one entry of `serves` for each kind of each need, by the kind's index."""

    id: str
    name: str
    says: str
    serves: tuple[Serving, ...]


class Case(msgspec.Struct, frozen=True):
    """A situation in which the learner picks an option.

    `matters` has the weight (0 to 3) that we would give each kind of need, and `musts` whether it
    is a condition, both by the kind's index. `defensible` has for each option whether it can be
    defended, and `why` our comment on it.
    """

    id: str
    title: str
    text: str
    matters: tuple[int, ...]
    musts: tuple[bool, ...]
    because: str
    defensible: tuple[bool, ...]
    why: tuple[str, ...]


class Advice(msgspec.Struct, frozen=True, tag=True):
    """All needs, options and cases."""

    needs: tuple[Need, ...]
    options: tuple[Option, ...]
    cases: tuple[Case, ...]

    def option(self, id_: str) -> int:
        """Return the index of the option with this id. Raises `StopIteration` if there is none."""
        return next(place for place, option in enumerate(self.options) if option.id == id_)
