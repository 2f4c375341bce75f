"""Binds keys in lab views."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType

from tutor.app.key_scheme import MOVE, VIEW

Keys = list[BindingType]
"""The type of a view's `BINDINGS`."""


class Pair(NamedTuple):
    """Two keys for opposite directions, which the key line shows together as `shown`.

    The first key moves back (-1), and the second key moves forward (1). On the key line, they are
    in `group`.
    """

    first: str
    second: str
    shown: str
    group: Binding.Group = MOVE


UP_DOWN = Pair("up", "down", "↑↓")
LEFT_RIGHT = Pair("left", "right", "←→")
P_N = Pair("p", "n", "p/n")
LAYERS = Pair("down", "up", "↑↓")
"""The keys for layers. The up key moves to later layers, since the last layer is drawn at the
top."""
ZOOM = Pair("o", "i", "i/o", VIEW)


def key(
    keys: str,
    action: str,
    label: str,
    tooltip: str,
    display: str | None = None,
    group: Binding.Group | None = None,
    id: str | None = None,
) -> Binding:
    """Return the binding of one key.

    If `display` is given, the key line shows it instead of the key's name. Without a `group`, the
    binding is in the group that `tutor.app.key_scheme` derives. Without an `id`,
    `tutor.app.keymap` names the binding after its label.
    """
    return Binding(keys, action, label, key_display=display, tooltip=tooltip, group=group, id=id)


def run_and_stop(
    keys: str, label: str, starts: str, stops: str = "Stop, and keep the results so far."
) -> tuple[Binding, Binding]:
    """Return the bindings of the keys that start long work and stop it.

    `LabView.runs` decides which of the two is available.
    """
    return key(keys, "run", label, starts), key(keys, "stop", "stop", stops)


def tab(action: str, label: str, tooltip: str) -> tuple[Binding, Binding]:
    """Return the bindings of Tab and Shift+Tab, which go through the same items.

    In `action`, `*` is replaced with the step, as in `next_view(*)`.
    """
    back, forward = _ends(label)
    return (
        key("tab", action.replace("*", "1"), label, tooltip, id=forward),
        Binding("shift+tab", action.replace("*", "-1"), show=False, id=back),
    )


def _ends(label: str) -> tuple[str, str]:
    """Return the ids of two opposite actions, for the keymap."""
    return f"{label}-back", f"{label}-forward"


def pair(keys: Pair, action: str, label: str, tooltip: str) -> tuple[Binding, Binding]:
    """Return the bindings of a pair of keys.

    In `action`, `*` is replaced with the step, as in `move_focus(*, 'row')`.
    """
    back, forward = _ends(label)
    first = key(keys.first, action.replace("*", "-1"), label, tooltip, keys.shown, keys.group, back)
    return first, Binding(keys.second, action.replace("*", "1"), show=False, id=forward)
