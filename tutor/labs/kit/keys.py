"""Binds keys in the views of labs."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType

Keys = list[BindingType]
"""The type of a view's `BINDINGS`."""


class Pair(NamedTuple):
    """Two keys for opposite directions, which the key line shows together as `shown`.

    The first moves back (-1), the second forward (1).
    """

    first: str
    second: str
    shown: str


UP_DOWN = Pair("up", "down", "↑↓")
LEFT_RIGHT = Pair("left", "right", "←→")
P_N = Pair("p", "n", "p/n")
LAYERS = Pair("down", "up", "↑↓")
"""For layers, which are drawn with the last one at the top."""
ZOOM = Pair("o", "i", "i/o")


def key(keys: str, action: str, label: str, tooltip: str, display: str | None = None) -> Binding:
    """Return the binding of one key. If given, `display` replaces its name in the key line."""
    return Binding(keys, action, label, key_display=display, tooltip=tooltip)


def pair(keys: Pair, action: str, label: str, tooltip: str) -> tuple[Binding, Binding]:
    """Return the bindings of two keys.

    `action` has a `*` in place of the step, as in `move_focus(*, 'row')`.
    """
    return (
        key(keys.first, action.replace("*", "-1"), label, tooltip, keys.shown),
        Binding(keys.second, action.replace("*", "1"), show=False),
    )
