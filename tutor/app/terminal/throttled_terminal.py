"""Repaint over a slow connection: immediately after a key press, and otherwise at intervals.

The app never sends more than the connection can carry.
"""

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
"""The number of repaints after a key press that are sent immediately.

They show, for example, the effect of the key and the model's response.
"""


class Pace:
    """A schedule for repaints. All times are in seconds, on any monotonic clock.

    The first `AT_ONCE` repaints after a key press are immediate. Each further repaint waits until
    `interval` seconds after the previous one, or longer if the connection would otherwise carry
    more than `rate` bytes per second.
    """

    def __init__(self, interval: float, rate: int) -> None:
        self._interval = interval
        self._rate = rate
        self._at_once = AT_ONCE
        self._next = float("-inf")

    def key_pressed(self) -> None:
        self._at_once = AT_ONCE

    def painted(self, size: int, now: float) -> None:
        """Record that a repaint of `size` bytes was sent."""
        self._at_once = max(0, self._at_once - 1)
        self._next = now + max(self._interval, size / self._rate)

    def wait(self, now: float) -> float:
        """Return the number of seconds until the next repaint, or 0 if it can be sent now."""
        return 0.0 if self._at_once else max(0.0, self._next - now)


class ThrottledTerminal:
    """A painter that collects screen updates, and sends the changes at the right time.

    While the terminal accepts no output, the painter sends none. Otherwise, the program would
    block, and the output would be outdated when it appears.

    `descriptor` is the terminal's file descriptor. `held` returns True during a batch of changes,
    when nothing may be painted.
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

    def asked(self, *, repaint: bool = False) -> None:
        """Record that the learner has done something and is waiting for the effect.

        If `repaint` is true, the whole screen is sent again, because the content of the terminal is
        unknown.
        """
        self._pace.key_pressed()
        if repaint:
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
        """Return True if the terminal can accept more output now.

        If it can't, schedule a repaint for when it can.
        """
        if sys.platform == "win32":  # Windows cannot report whether a terminal accepts output
            return True
        if select.select([], [self._descriptor], [], 0)[1]:
            return True
        loop.add_writer(self._descriptor, self._terminal_ready, loop)
        return False

    def _terminal_ready(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.remove_writer(self._descriptor)
        self._paint()
