"""The actions that labs share.

A lab lists the actions that it accepts, with the names that it accepts in them:

    Action = EditText | MoveFocus[Literal["layer", "head"]] | Toggle[Literal["mask"]] | Run

and matches on them in its `act`. An action that only one lab needs is defined by that lab.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

Name = TypeVar("Name", bound=str)


class EditText(msgspec.Struct, frozen=True, tag_field="do", tag="write"):
    """Replace a text: the lab's main text, or the `field` of this name if there are several. The
    lab's `act` decides what is refused."""

    text: str
    field: str = ""


class MoveFocus(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="move"):
    """Move the focus along `axis` by `by` places, backward if negative. This leaves the questions
    to the model unchanged."""

    by: int
    axis: Name


class Choose(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="choose"):
    """Choose another example, task, file or method from a list, `by` places further on, or back if
    negative. It replaces what the lab works on."""

    by: int
    what: Name


class Adjust(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="adjust"):
    """Turn a dial up by `by` notches, or down if negative."""

    by: int
    dial: Name


class Toggle(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="toggle"):
    """Switch something on or off, or look at the other of two sides."""

    what: Name


class ShowView(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="see"):
    """Show another view of the same state."""

    view: Name


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Start the lab's long work, or stop it while it runs. The work done so far is kept."""


class Reset(msgspec.Struct, frozen=True, tag_field="do", tag="reset"):
    """Undo all changes: the lab returns to its initial state, but keeps the model's answers."""


def moved(place: int, by: int, count: int) -> int:
    """Return the place that is `by` after `place`, clamped to the first and last of `count`
    places."""
    return min(max(0, place + by), max(0, count - 1))


Item = TypeVar("Item")


def cycled(items: Sequence[Item], item: Item, by: int = 1) -> Item:
    """Return the item `by` places after `item`, wrapping around from the last to the first."""
    return items[(items.index(item) + by) % len(items)]
