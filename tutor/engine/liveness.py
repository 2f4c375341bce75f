"""Detect an engine that hangs, as opposed to one that is slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LOOKS = 8  # the number of checks, each with a ping, before a silent engine is considered hung


class Liveness:
    """A watchdog for an engine that is expected to send messages.

    Any message counts as a sign of life: a response, loading progress, or `Pong`. While no message
    is expected, no timer runs.

    The watchdog counts checks instead of measuring time. After the app has been suspended or the
    laptop has been asleep, every deadline would have passed, although messages that arrived in time
    may still be unprocessed. Such a pause adds only one missed check.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._heard = 0
        self._owed = asyncio.Event()

    def hear(self) -> None:
        """Record that a message has arrived."""
        self._heard += 1

    def owe(self, something: bool) -> None:
        """Set whether a message is expected."""
        if something:
            self._owed.set()
        else:
            self._owed.clear()

    async def until_silent(self, ask: Callable[[], None], patience: Callable[[], float]) -> None:
        """Return once the engine owes a message but has been silent for `patience()` seconds.

        `ask` is called several times during that period to request a heartbeat.
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
