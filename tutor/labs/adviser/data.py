"""Defines the adviser's data: needs, options, how well each option meets each need, and cases.

`tutor.labs.adviser.data_files` reads the data from `lessons/adviser.yaml` and `lessons/cases.yaml`.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Level = Literal["not", "partly", "well", "fully"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The names of the levels 0 to 3, which rate how well an option meets a need."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of a need, such as images as a kind of input.

    `must` describes the kind as a condition, and `least` is the minimum level that the condition
    requires. `place` is the kind's index among the kinds of all needs.
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
    """A fact as stated by `source` in the month `as_of` (year-month).

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
    """A rating of how well an option meets one kind of need, with the reason in one sentence.

    `facts` are the facts behind the rating that a vendor can change.
    """

    level: int
    why: str
    facts: tuple[DatedFact, ...] = ()


class Option(msgspec.Struct, frozen=True):
    """An option. `serves` rates it for each kind of each need, by the kind's index."""

    id: str
    name: str
    says: str
    serves: tuple[Serving, ...]


class Case(msgspec.Struct, frozen=True):
    """A situation in which the learner picks an option.

    `matters` has the weight (0 to 3) that we would give to each kind of need, and `musts` tells
    whether we would make it a must; both are indexed by kind. `defensible` tells whether each
    option can be defended, and `why` has our comment on each option.
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
