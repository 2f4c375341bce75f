"""Paints over a slow line: at once after a key, now and then otherwise, and never more than the
line takes."""

from __future__ import annotations

import asyncio
import select
import sys
from typing import TYPE_CHECKING

from tutor.app.terminal.screen_diff import ScreenDiff

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from textual._compositor import CompositorUpdate
    from textual.geometry import Size

    from tutor.app.terminal.line import Pacing
    from tutor.app.terminal.screen_diff import Changes

AT_ONCE = 4
"""Paintings that a key brings about at once: what the key does itself, what the model answers,
a screen that opens in steps."""


class Pace:
    """A key is answered at once. What comes by itself waits until `interval` seconds have passed
    since the last painting, and more where that was so large that the line would carry over `rate`
    bytes a second. Times are seconds of any clock that only goes forward."""

    def __init__(self, interval: float, rate: int) -> None:
        self._interval = interval
        self._rate = rate
        self._at_once = AT_ONCE
        self._next = float("-inf")

    def key_pressed(self) -> None:
        self._at_once = AT_ONCE

    def painted(self, size: int, now: float) -> None:
        """`size` bytes were sent."""
        self._at_once = max(0, self._at_once - 1)
        self._next = now + max(self._interval, size / self._rate)

    def wait(self, now: float) -> float:
        """Seconds until the next painting, 0 if it is its time."""
        return 0.0 if self._at_once else max(0.0, self._next - now)


class ThrottledTerminal:
    """Takes every update of the screen, and has the changes sent when it is their time.

    While the terminal takes nothing, nothing is sent: it would only be shown later, when it is no
    longer true, and the program would stand still until then. `descriptor` is that of the terminal.
    `held` says whether the app wants nothing painted now, in the middle of a change.
    """

    def __init__(
        self,
        pacing: Pacing,
        descriptor: int,
        console: Console,
        *,
        held: Callable[[], bool],
        send: Callable[[Changes], None],
    ) -> None:
        self._pacing = pacing
        self._descriptor = descriptor
        self._console = console
        self._held = held
        self._send = send
        self.diff = ScreenDiff()
        self._pace = Pace(pacing.interval, pacing.rate)
        self._due: asyncio.TimerHandle | None = None

    def asked(self, *, anew: bool = False) -> None:
        """The learner did something, and waits for the answer. `anew`: nothing of what the
        terminal showed is certain any more."""
        self._pace.key_pressed()
        if anew:
            self.diff.forget()

    def show(self, update: CompositorUpdate, size: Size) -> None:
        self.diff.put(update, size)
        self._paint()

    def _paint(self) -> None:
        loop = asyncio.get_running_loop()
        if self._due is not None:
            self._due.cancel()
            self._due = None
        wait = self._pacing.interval if self._held() else self._pace.wait(loop.time())
        if wait > 0:
            self._due = loop.call_later(wait, self._paint)
        elif self._has_room(loop):
            changes = self.diff.changes(self._console.color_system)
            if changes is not None:
                self._pace.painted(len(changes.written.encode()), loop.time())
                self._send(changes)

    def _has_room(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the terminal takes output now; if not, it is painted when it does."""
        if sys.platform == "win32":  # where this cannot be asked
            return True
        if select.select([], [self._descriptor], [], 0)[1]:
            return True
        loop.add_writer(self._descriptor, self._room_came, loop)
        return False

    def _room_came(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.remove_writer(self._descriptor)
        self._paint()
