"""Apply keys to a text field in the order in which they were pressed, even if they come at once.

A field of Textual inserts a character as soon as it receives the key. All other keys, such as
Backspace, first travel from the field to the app, which looks up what they do. If keys arrive
faster than that, for example over a slow connection, a later character would be inserted before an
earlier Backspace deletes anything. So a field runs its own editing keys at once. A key that follows
a command, such as Enter, still travels to the app, because the command has to come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

if TYPE_CHECKING:
    from textual.events import Key
    from textual.widget import Widget

_LATER = ("accept", "edit_outside", "leave", "send", "submit")
"""The field's actions that end the editing. The app runs them, in the order of the commands."""
_BESIDE = ("screen.move_to(", "screen.page(")
"""The beginnings of actions that do not matter to the text in the field, or to what follows."""

_latest: WeakKeyDictionary[Widget, Key] = WeakKeyDictionary()
"""The latest command that each field has passed on to the app."""
_handled: WeakSet[Key] = WeakSet()
"""The keys that have come back to the app, and that it has handled."""


def handled(key: Key) -> None:
    """Note that the app has handled a key that came back to it."""
    _handled.add(key)


async def edited_at_once(field: Widget, key: Key) -> bool:
    """Run the field's own action for a key, such as deleting a character.

    Return False, without running anything, if the key does something else, if an earlier command
    has not been handled yet, or if the field has lost the focus since the key was sent to it. The
    app then handles the key.
    """
    bindings = field._bindings.key_to_bindings.get(key.key, ())
    before = _latest.get(field)
    waits = before is not None and before not in _handled and not before._stop_propagation
    if field.has_focus and not waits:
        for binding in bindings:
            name = binding.action.partition("(")[0]
            if name in _LATER or "." in name or binding.priority:
                break
            if await field.app.run_action(binding.action, field):
                key.stop()
                key.prevent_default()
                return True
    if not key.is_printable and not any(each.action.startswith(_BESIDE) for each in bindings):
        _latest[field] = key
    return False
