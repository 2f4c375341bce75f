"""Redirects keys that were sent to one widget just before another took the focus.

Textual passes a key to the widget in focus at once. If keys arrive faster than they take effect
(typed ahead, pasted, on a slow line), an earlier key may be about to open a field. Text for that
field would then act as commands.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from textual.events import Key

if TYPE_CHECKING:
    from textual.widget import Widget

_AT_ONCE = 512
"""The most keys to remember. Older keys are no longer redirected."""


class LateKeys:
    """A record of where each key was sent, until the key comes back because nothing used it."""

    def __init__(self) -> None:
        self._sent: deque[tuple[Key, Widget]] = deque(maxlen=_AT_ONCE)

    def sent(self, key: Key, to: Widget) -> None:
        """Note that `key` goes to the widget in focus, or to the screen if none is."""
        self._sent.append((key, to))

    def redirected(self, key: Key, to: Widget) -> bool:
        """Send a key that came back to `to`, unless it has been there.

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
