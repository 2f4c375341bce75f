"""Redirect keys that were sent to one widget just before another received the focus.

Textual passes a key to the focused widget immediately. If keys arrive faster than they take effect
(typed ahead, pasted, or over a slow connection), an earlier key may be about to open a text field.
Text for that field would then act as commands.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from textual.events import Key

if TYPE_CHECKING:
    from textual.widget import Widget

_AT_ONCE = 512
"""The maximum number of keys to remember. Older keys are no longer redirected."""


class LateKeys:
    """A record of the widget to which each key was sent.

    If no widget handles a key, the key comes back and can be redirected.
    """

    def __init__(self) -> None:
        self._sent: deque[tuple[Key, Widget]] = deque(maxlen=_AT_ONCE)

    def sent(self, key: Key, to: Widget) -> None:
        """Record that `key` goes to the widget in focus, or to the screen if there is none."""
        self._sent.append((key, to))

    def redirected(self, key: Key, to: Widget) -> bool:
        """Send a returned key to the widget `to`, unless the key was already sent there.

        Return True if it was sent.
        """
        for entry in self._sent:
            if entry[0] is key:
                self._sent.remove(entry)
                if entry[1] is to:
                    return False
                again = Key(key.key, key.character)
                self.sent(again, to)
                to._forward_event(again)
                return True
        return False
