"""Apply keys to a text field in the order in which they were pressed, even if they come at once.

A field of Textual inserts a character as soon as it receives the key. All other keys, such as
Backspace, first travel from the field to the app, which looks up what they do. If keys arrive
faster than that, for example over a slow connection, a later character would be inserted before an
earlier Backspace deletes anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.events import Key
    from textual.widget import Widget

_LATER = ("accept", "edit_outside", "leave", "send", "submit")
"""The actions that end the editing. They stay in the order of the commands that follow them."""


async def edited_at_once(field: Widget, key: Key) -> bool:
    """Run the field's own action for a key, such as deleting a character.

    Return False, without running anything, if the key does something else, or if the field has lost
    the focus since the key was sent to it. The app then handles the key.
    """
    if not field.has_focus:
        return False
    for binding in field._bindings.key_to_bindings.get(key.key, ()):
        name = binding.action.partition("(")[0]
        if name in _LATER or "." in name or binding.priority:
            return False
        if await field.app.run_action(binding.action, field):
            key.stop()
            key.prevent_default()
            return True
    return False
