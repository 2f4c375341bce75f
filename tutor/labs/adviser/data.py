"""What the lab `adviser` weighs: needs, options, how well each serves each, and cases to solve.

It stands in `lessons/adviser.yaml` and `lessons/cases.yaml`; `tutor.labs.adviser.data_files` reads
it.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Level = Literal["not", "partly", "well", "fully"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""How well an option serves a need, by the level's number: 0 to 3."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of a need, such as images of what goes in. `must` is what it means as a condition,
    `least` the level that an option must have then. `place` counts the kinds of all needs."""

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
    """What `source` said in the month `as_of` (year-month); `second_hand` where it is not the
    vendor who says it."""

    id: str
    product: str
    topic: str
    value: str
    as_of: str
    source: str
    second_hand: bool


class Serving(msgspec.Struct, frozen=True):
    """How well an option serves one kind of need: the number of a level, the reason in one
    sentence, and what it rests on of what a vendor can change."""

    level: int
    why: str
    facts: tuple[DatedFact, ...] = ()


class Option(msgspec.Struct, frozen=True):
    """`serves` has one entry for each kind of each need, by the kind's place."""

    id: str
    name: str
    says: str
    serves: tuple[Serving, ...]


class Case(msgspec.Struct, frozen=True):
    """A situation. `matters` has the weight (0 to 3) that we would give each kind of need, and
    `musts` whether it is a condition, both by the kind's place; `defensible` says of each option
    whether it can be defended, and `why` what there is to say to who picks it."""

    id: str
    title: str
    text: str
    matters: tuple[int, ...]
    musts: tuple[bool, ...]
    because: str
    defensible: tuple[bool, ...]
    why: tuple[str, ...]


class Advice(msgspec.Struct, frozen=True, tag=True):
    """All of it."""

    needs: tuple[Need, ...]
    options: tuple[Option, ...]
    cases: tuple[Case, ...]

    def option(self, id_: str) -> int:
        """The place of the option of this id. Raises `StopIteration` if there is none."""
        return next(place for place, option in enumerate(self.options) if option.id == id_)
