"""The keys that labs share."""

from __future__ import annotations

from textual.binding import Binding


def key(keys: str, action: str, label: str, tooltip: str) -> Binding:
    """Return the binding of a key that the key line shows."""
    return Binding(keys, action, label, tooltip=tooltip)


def pair(
    keys: tuple[str, str], action: str, label: str, tooltip: str, display: str = ""
) -> tuple[Binding, Binding]:
    """Return bindings for two keys: the first moves back and the second forward. `action` has a `*`
    in place of the step: `move_focus(*, 'row')`. The key line shows the pair as one."""
    back, forward = keys
    shown = display or _DISPLAY[keys]
    return (
        Binding(back, action.replace("*", "-1"), label, key_display=shown, tooltip=tooltip),
        Binding(forward, action.replace("*", "1"), show=False),
    )


UP_DOWN = ("up", "down")
LEFT_RIGHT = ("left", "right")
P_N = ("p", "n")
_DISPLAY = {UP_DOWN: "↑↓", LEFT_RIGHT: "←→", P_N: "p/n"}
