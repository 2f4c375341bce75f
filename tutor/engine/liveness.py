"""Tells a slow engine from one that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LOOKS = 8  # checks without a message, with a ping after each, before an engine counts as hung


class Liveness:
    """A watch over an engine that owes messages.

    Any message counts as a sign of life: an answer, loading progress, `Pong`. While nothing is
    owed, nothing is expected and no timer runs.

    Checks are counted, not seconds. When an app resumes after it was stopped, or a laptop after
    sleep, all deadlines have passed, although messages that arrived in time may still be unread.
    Counted in checks, only one has been missed.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._heard = 0
        self._owed = asyncio.Event()

    def hear(self) -> None:
        """Note that a message has arrived."""
        self._heard += 1

    def owe(self, something: bool) -> None:
        """Set whether a message is due."""
        if something:
            self._owed.set()
        else:
            self._owed.clear()

    async def until_silent(self, ask: Callable[[], None], patience: Callable[[], float]) -> None:
        """Return when a message was due for `patience` seconds and none arrived.

        `ask` is called several times on the way, to request a sign of life.
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
