"""The actions that labs share.

A lab lists the actions that it accepts, with the names that each can contain:

    Action = EditText | MoveFocus[Literal["layer", "head"]] | Toggle[Literal["mask"]] | Run

The lab's `act` function matches on these actions. An action that only one lab needs is defined in
that lab.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

Name = TypeVar("Name", bound=str)


class EditText(msgspec.Struct, frozen=True, tag_field="do", tag="write"):
    """Replace the text in `field`, or the lab's main text if `field` is empty.

    The lab's `act` function decides which texts it refuses.
    """

    text: str
    field: str = ""


class MoveFocus(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="move"):
    """Move the focus along `axis` by `by` steps, backward if negative.

    Moving the focus doesn't change the lab's request to the model.
    """

    by: int
    axis: Name


class Choose(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="choose"):
    """Choose the example, task, file or method that is `by` steps ahead, or back if negative.

    From then on, the lab works on the chosen item.
    """

    by: int
    what: Name


class Adjust(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="adjust"):
    """Raise a setting by `by` steps, or lower it if `by` is negative."""

    by: int
    dial: Name


class Toggle(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="toggle"):
    """Switch something on or off, or switch between two alternatives."""

    what: Name


class ShowView(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="see"):
    """Show another view of the same state."""

    view: Name


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Start the lab's long work, or stop it while it runs. Finished work is kept."""


class NewSeed(msgspec.Struct, frozen=True, tag_field="do", tag="new-seed"):
    """Discard the results of the current seed, and run again with the next one."""


class Reset(msgspec.Struct, frozen=True, tag_field="do", tag="reset"):
    """Reset the lab to its initial state, but keep the model's responses."""


def moved(place: int, by: int, count: int) -> int:
    """Return the index `place` + `by`, clamped to the valid indexes of `count` items."""
    return min(max(0, place + by), max(0, count - 1))


Item = TypeVar("Item")


def cycled(items: Sequence[Item], item: Item, by: int = 1) -> Item:
    """Return the item `by` steps after `item`, wrapping around from the last to the first."""
    return items[(items.index(item) + by) % len(items)]
