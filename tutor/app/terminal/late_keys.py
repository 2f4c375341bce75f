"""Redirect keys that were sent to a widget shortly before another widget received the focus.

Textual immediately passes each key to the widget that has the focus. Keys may arrive faster than
they take effect, for example if the learner types ahead or if the connection is slow. If an earlier
key opens a text field, the next keys are meant for that field. Without redirection, they would
trigger commands instead.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from textual.events import Key

if TYPE_CHECKING:
    from textual.widget import Widget

_AT_ONCE = 512
"""The maximum number of recent keys to remember. Older keys are not redirected."""


class LateKeys:
    """A record of which widget each recent key was sent to.

    A key that no widget has handled comes back to the app, which can then redirect it.
    """

    def __init__(self) -> None:
        self._sent: deque[tuple[Key, Widget]] = deque(maxlen=_AT_ONCE)

    def sent(self, key: Key, to: Widget) -> None:
        """Record that `key` was sent to the widget `to`, which has the focus."""
        self._sent.append((key, to))

    def redirected(self, key: Key, to: Widget) -> bool:
        """Send a key that no widget has handled to the widget `to`.

        Return False, without sending the key, if it has already been sent to this widget.
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
