"""Keys that were on their way to one widget while another came into focus.

Textual hands a key to the widget in focus at once. Where keys come faster than they are carried
out (typed ahead, pasted, a slow line), the key before may still be about to open a field: what was
typed into that field would then act as commands beside it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from textual.events import Key

if TYPE_CHECKING:
    from textual.widget import Widget

_AT_ONCE = 512
"""Keys under way at the same time, at most; of older ones it is no longer known where they went."""


class LateKeys:
    """Remembers where each key was sent, until it comes back because nothing there wanted it."""

    def __init__(self) -> None:
        self._sent: deque[tuple[Key, Widget]] = deque(maxlen=_AT_ONCE)

    def sent(self, key: Key, to: Widget) -> None:
        """`key` goes to the widget in focus, or to the screen where there is none."""
        self._sent.append((key, to))

    def redirected(self, key: Key, to: Widget) -> bool:
        """Send a key that came back on to where keys go now, if it has not been there; whether
        that was so."""
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
