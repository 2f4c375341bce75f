"""The actions that labs share.

A lab lists the ones that it takes, with the names that it takes them for:

    Action = EditText | MoveFocus[Literal["layer", "head"]] | Toggle[Literal["mask"]] | Run

and matches them in its `act`. What only one lab can do is an action of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

Name = TypeVar("Name", bound=str)


class EditText(msgspec.Struct, frozen=True, tag_field="do", tag="write"):
    """Replace a text: the one that the lab is about, or the `field` of this name where there are
    several. The lab's `act` says what is refused."""

    text: str
    field: str = ""


class MoveFocus(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="move"):
    """Look at something else along `axis`: `by` places further on, back where negative. Nothing
    that the model was asked changes."""

    by: int
    axis: Name


class Choose(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="choose"):
    """Take another one of a list of examples, tasks, files or methods: `by` places further on, back
    where negative. It replaces what the lab works on."""

    by: int
    what: Name


class Adjust(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="adjust"):
    """Turn a dial `by` notches up, down where negative."""

    by: int
    dial: Name


class Toggle(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="toggle"):
    """Switch something off, or on again; or look at the other of two sides."""

    what: Name


class ShowView(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="see"):
    """Show another view of the same state."""

    view: Name


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Start the long work of the lab; stop it while it runs. What is done by then is kept."""


class Reset(msgspec.Struct, frozen=True, tag_field="do", tag="reset"):
    """Undo all changes: the lab is as it was to begin with, but for what the model said."""


def moved(place: int, by: int, count: int) -> int:
    """Return the place `by` further on among `count`, at most the last and at least the first."""
    return min(max(0, place + by), max(0, count - 1))


Item = TypeVar("Item")


def cycled(items: Sequence[Item], item: Item, by: int = 1) -> Item:
    """Return what comes `by` places after `item`; the first one comes after the last."""
    return items[(items.index(item) + by) % len(items)]
