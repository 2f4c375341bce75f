"""The adviser's data: needs, options, cases, and ratings of how well each option meets each need.

`tutor.labs.adviser.data_files` loads the data from `lessons/adviser.yaml` and `lessons/cases.yaml`.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Level = Literal["not", "partly", "well", "fully"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The names of the levels 0 to 3. A level rates how well an option meets a need."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of need. For example, "images" is one kind of the need "inputs".

    Attributes:
        must: The kind, worded as a condition.
        least: The minimum level that an option needs to meet the condition.
        place: The index of this kind in the list of the kinds of all needs.
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
    """A fact about a product, reported by `source` in the month `as_of` (YYYY-MM).

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

    `facts` support the level. They are dated, because a vendor can change them.
    """

    level: int
    why: str
    facts: tuple[DatedFact, ...] = ()


class Option(msgspec.Struct, frozen=True):
    """An option, such as a kind of model. `serves` contains its rating for each kind of need."""

    id: str
    name: str
    says: str
    serves: tuple[Serving, ...]


class Case(msgspec.Struct, frozen=True):
    """A situation for which the learner picks an option.

    Attributes:
        matters: Our weight for each kind of need, from 0 to 3, by the kind's index.
        musts: True for each kind that we would make a must.
        because: Our reason for these weights.
        defensible: True for each option that is a defensible pick.
        why: Our comment on each option.
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
    """All needs, options and cases in the adviser's data files."""

    needs: tuple[Need, ...]
    options: tuple[Option, ...]
    cases: tuple[Case, ...]

    def option(self, id_: str) -> int:
        """Return the index of the option with this id. Raises `StopIteration` if there is none."""
        return next(place for place, option in enumerate(self.options) if option.id == id_)
