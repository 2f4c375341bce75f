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
    """Replace a text: the lab's main text, or the `field` of this name if there are several.

    The lab's `act` decides what is refused.
    """

    text: str
    field: str = ""


class MoveFocus(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="move"):
    """Move the focus along `axis` by `by` steps, backward if negative.

    The lab's questions to the model stay the same.
    """

    by: int
    axis: Name


class Choose(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="choose"):
    """Choose another example, task, file or method: the one `by` steps ahead, or back if negative.

    It replaces what the lab works on.
    """

    by: int
    what: Name


class Adjust(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="adjust"):
    """Raise a setting by `by` steps, or lower it if negative."""

    by: int
    dial: Name


class Toggle(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="toggle"):
    """Switch something on or off, or show the other of two sides."""

    what: Name


class ShowView(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="see"):
    """Show another view of the same state."""

    view: Name


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Start the lab's long work, or stop it while it runs. Work that is done is kept."""


class Reset(msgspec.Struct, frozen=True, tag_field="do", tag="reset"):
    """Undo all changes: the lab returns to its initial state, but keeps the model's answers."""


def moved(place: int, by: int, count: int) -> int:
    """Return the index `place` + `by`, clamped to the first and last of `count` items."""
    return min(max(0, place + by), max(0, count - 1))


Item = TypeVar("Item")


def cycled(items: Sequence[Item], item: Item, by: int = 1) -> Item:
    """Return the item `by` steps after `item`, wrapping around from the last to the first."""
    return items[(items.index(item) + by) % len(items)]
