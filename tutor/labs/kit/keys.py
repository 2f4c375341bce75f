"""Helpers that define the key bindings of lab views."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding, BindingType

from tutor.app.key_scheme import MOVE, VIEW

Keys = list[BindingType]
"""The type of a view's `BINDINGS` attribute."""


class Pair(NamedTuple):
    """Two keys for opposite directions. The key line shows them together, as `shown`.

    The first key moves back (-1) and the second key moves forward (1). `group` is the pair's group
    on the key line.
    """

    first: str
    second: str
    shown: str
    group: Binding.Group = MOVE


UP_DOWN = Pair("up", "down", "↑↓")
LEFT_RIGHT = Pair("left", "right", "←→")
SIDEWAYS = Pair("less_than_sign", "greater_than_sign", "<>")
P_N = Pair("p", "n", "p/n")
LAYERS = Pair("down", "up", "↑↓")
"""The keys that select a layer. The up arrow selects a later layer, because the last layer is drawn
at the top."""
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
    """Return a binding for one key.

    `display` replaces the key's name on the key line. Without a `group`, `tutor.app.key_scheme`
    chooses the group. Without an `id`, `tutor.app.keymap` derives the binding's name from `label`.
    """
    return Binding(keys, action, label, key_display=display, tooltip=tooltip, group=group, id=id)


def run_and_stop(
    keys: str, label: str, starts: str, stops: str = "Stop, and keep the results so far."
) -> tuple[Binding, Binding]:
    """Return two bindings for the same key: one starts a long-running task, the other stops it.

    `LabView.runs` determines which of the two is active.
    """
    return key(keys, "run", label, starts), key(keys, "stop", "stop", stops)


def tab(action: str, label: str, tooltip: str) -> tuple[Binding, Binding]:
    """Return the bindings of Tab (forward) and Shift+Tab (backward).

    In `action`, `*` is replaced with the step, 1 or -1, as in `next_view(*)`.
    """
    back, forward = _ends(label)
    return (
        key("tab", action.replace("*", "1"), label, tooltip, id=forward),
        Binding("shift+tab", action.replace("*", "-1"), show=False, id=back),
    )


def _ends(label: str) -> tuple[str, str]:
    """Return the keymap ids of two opposite actions: backward and forward."""
    return f"{label}-back", f"{label}-forward"


def pair(keys: Pair, action: str, label: str, tooltip: str) -> tuple[Binding, Binding]:
    """Return the bindings of a pair of keys.

    In `action`, `*` is replaced with the step, -1 or 1, as in `move_focus(*, 'row')`.
    """
    back, forward = _ends(label)
    first = key(keys.first, action.replace("*", "-1"), label, tooltip, keys.shown, keys.group, back)
    return first, Binding(keys.second, action.replace("*", "1"), show=False, id=forward)
