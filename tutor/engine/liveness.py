"""Tell a hung engine from a slow one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LOOKS = 8  # the number of checks, each with a ping, after which a silent engine counts as hung


class Liveness:
    """A watchdog that detects when an engine stops sending messages.

    Every message shows that the engine is alive: a response, loading progress, or `Pong`. The
    watchdog is active only while a message is expected.

    The watchdog counts checks instead of measuring time. If it measured time, an engine would count
    as hung whenever the app was suspended or the laptop was asleep for a long time. With checks,
    such a pause counts as only one missed check.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._heard = 0
        self._owed = asyncio.Event()

    def hear(self) -> None:
        """Record that a message has arrived."""
        self._heard += 1

    def owe(self, something: bool) -> None:
        """Start or stop watching. Pass True while a message from the engine is expected."""
        if something:
            self._owed.set()
        else:
            self._owed.clear()

    async def until_silent(self, ask: Callable[[], None], patience: Callable[[], float]) -> None:
        """Wait until a message is expected but nothing has arrived for `patience()` seconds.

        Any message from the engine restarts the wait. During the wait, `ask` is called several
        times to send a `Ping` to the engine.
        """
        silent = 0
        while silent < LOOKS:
            await self._owed.wait()
            heard = self._heard
            await self._sleep(patience() / LOOKS)
            if self._heard != heard or not self._owed.is_set():
                silent = 0
            else:
                silent += 1
                ask()
