"""Tells an engine that takes its time from one that says nothing any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LOOKS = 8  # how often one looks, and asks, before silence counts as the end


class Liveness:
    """Any message counts as life: an answer, how far loading is, `Pong`. While nothing is owed,
    nothing is expected and nobody is woken.

    Looks are counted, not seconds. An app that was stopped and goes on, or a laptop that slept,
    finds its deadlines passed and the messages that would have met them not yet read; it has
    missed one look.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._heard = 0
        self._owed = asyncio.Event()

    def hear(self) -> None:
        """A message has come."""
        self._heard += 1

    def owe(self, something: bool) -> None:
        """Whether a message is due."""
        if something:
            self._owed.set()
        else:
            self._owed.clear()

    async def until_silent(self, ask: Callable[[], None], patience: Callable[[], float]) -> None:
        """Return when a message was due for `patience` seconds and none came, though `ask`, which
        is to ask for a sign of life, was called on the way."""
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
