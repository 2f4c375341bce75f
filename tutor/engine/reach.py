"""Connects to an engine: a shared one if there is one, or else a process of the learner's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tutor.engine.connection import EngineConnection
from tutor.engine.process import COMMAND, EngineProcess
from tutor.engine.wire import FromEngine, Message
from tutor.errors import NoSharedEngine


class Channel(Protocol):
    """A connection between the app and an engine. No method blocks the event loop."""

    @property
    def pid(self) -> int | None:
        """The id of the process, if it is the app's own."""
        ...

    @property
    def shared(self) -> bool:
        """Return whether the engine also serves others."""
        ...

    def send(self, message: Message) -> None:
        """Send a message while the event loop runs.

        If the other end is gone, nothing is sent: pending requests fail when `receive` notices.
        """
        ...

    async def receive(self) -> FromEngine | None:
        """Return the next message, None at the end. Raises `EngineError` if it is invalid."""
        ...

    async def end(self) -> str:
        """End the connection or process, and return a sentence on how it ended."""
        ...

    def kill(self) -> None:
        """End the connection or process at once."""
        ...


Start = Callable[[Sequence[str]], Awaitable[Channel]]


@dataclass(frozen=True)
class Patience:
    """The time to wait for an engine, in seconds, and how often to restart it.

    Before the model is ready, long silence is normal: loading one library from a slow disk blocks
    every thread of a Python process.
    """

    start_silence: float = 120.0
    """Silence after which an engine that is starting counts as hung."""
    silence: float = 20.0
    """Silence after which an engine that owes an answer counts as hung."""
    restarts: int = 3
    """Starts within `restart_window` seconds. After that, only the user can start the engine."""
    restart_window: float = 60.0
    returns: int = 120
    """Attempts to reconnect to a shared engine that has ended, `return_pause` seconds apart."""
    return_pause: float = 0.5


PATIENCE = Patience()


class Reach:
    """A way to reach an engine.

    `model` is a `--model` specification, None for the default. `shared` is the socket of a shared
    engine; without one, or if nothing listens there, `open` starts a process.
    """

    def __init__(
        self,
        model: str | None,
        shared: Path | None = None,
        command: Sequence[str] = COMMAND,
        patience: Patience = PATIENCE,
        start: Start = EngineProcess.start,
    ) -> None:
        self.model = model
        self.patience = patience
        self.served = False
        """Whether the engine is a shared one."""
        self._shared = shared
        self._command = command
        self._start = start

    def for_labs(self) -> Reach:
        """Return a way to reach an engine of the learner's own, which answers only labs."""
        command = (*self._command, "--labs")
        return Reach(self.model, None, command, self.patience, self._start)

    async def open(self, wanted: Callable[[], bool]) -> Channel:
        """Connect to an engine or start one, as long as it is `wanted`. Raises `EngineError`."""
        shared = None if self._shared is None else await self._open_shared(self._shared, wanted)
        if shared is not None:
            return shared
        model = () if self.model is None else ("--model", self.model)
        return await self._start([*self._command, *model])

    async def _open_shared(self, path: Path, wanted: Callable[[], bool]) -> Channel | None:
        """Return a connection to the shared engine, or None if there is none.

        If there was one a moment ago, it is restarting, so wait for it: the machine could not cope
        if every learner started a process instead. Raises `NoSharedEngine` if it does not return.
        """
        for look in range(1, self.patience.returns + 1):
            try:
                channel = await EngineConnection.open(path)
            except NoSharedEngine:
                if not self.served:
                    return None
                if not wanted() or look == self.patience.returns:
                    raise
            else:
                self.served = True
                return channel
            await asyncio.sleep(self.patience.return_pause)
        return None
