"""The actions that labs share.

A lab lists the types of action that it accepts. The type parameters are the names that an action
can contain:

    Action = EditText | MoveFocus[Literal["layer", "head"]] | Toggle[Literal["mask"]] | Run

The lab's `act` function matches on these types. An action that only one lab uses is defined in that
lab.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

Name = TypeVar("Name", bound=str)


class EditText(msgspec.Struct, frozen=True, tag_field="do", tag="write"):
    """Replace the text in `field`, or the lab's main text if `field` is empty.

    The lab's `act` function raises `TutorError` for text that it doesn't accept.
    """

    text: str
    field: str = ""


class MoveFocus(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="move"):
    """Move the focus along `axis` by `by` steps, backward if negative.

    Moving the focus never starts or cancels a request to the model.
    """

    by: int
    axis: Name


class Choose(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="choose"):
    """Switch to the example, task, file or method that is `by` steps ahead, or back if negative.

    Unlike `MoveFocus`, this changes what the lab computes.
    """

    by: int
    what: Name


class Adjust(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="adjust"):
    """Raise a setting by `by` steps, or lower it if `by` is negative."""

    by: int
    dial: Name


class Toggle(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="toggle"):
    """Switch a setting on or off, or switch between two alternatives."""

    what: Name


class ShowView(msgspec.Struct, Generic[Name], frozen=True, tag_field="do", tag="see"):
    """Show another view of the same state."""

    view: Name


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Start the lab's long-running computation, or stop it. Stopping keeps the results so far."""


class NewSeed(msgspec.Struct, frozen=True, tag_field="do", tag="new-seed"):
    """Discard the results of the current seed, and run again with the next seed."""


class Reset(msgspec.Struct, frozen=True, tag_field="do", tag="reset"):
    """Reset the lab to its initial state, but keep the model's responses."""


def moved(place: int, by: int, count: int) -> int:
    """Return the index `place` + `by`, clamped to a list of `count` items (0 for an empty list)."""
    return min(max(0, place + by), max(0, count - 1))


Item = TypeVar("Item")


def cycled(items: Sequence[Item], item: Item, by: int = 1) -> Item:
    """Return the item that is `by` steps after `item`, wrapping around at the end of the list."""
    return items[(items.index(item) + by) % len(items)]
