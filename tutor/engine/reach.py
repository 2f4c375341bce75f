"""Connects to an engine: a shared one if there is one, else a process of the learner's own."""

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
    """What connects the app with an engine. Nothing here blocks the event loop."""

    @property
    def pid(self) -> int | None:
        """Of a process that is the app's own."""
        ...

    @property
    def shared(self) -> bool:
        """Whether others are served at the other end, too."""
        ...

    def send(self, message: Message) -> None:
        """Hand over a message; it travels while the event loop runs. Where nobody is left at the
        other end, nothing is sent: whoever waits for its answer is told by the one who reads."""
        ...

    async def receive(self) -> FromEngine | None:
        """The next message; None at the end. Raises `EngineError` for one that is unreadable."""
        ...

    async def end(self) -> str:
        """End it if it has not ended, and say in a sentence how it did."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


Start = Callable[[Sequence[str]], Awaitable[Channel]]


@dataclass(frozen=True)
class Patience:
    """How long to wait for an engine, in seconds, and how often to restart it.

    Before the model is ready, silence may be long: loading one library from a slow disk blocks
    every thread of a Python process.
    """

    start_silence: float = 120.0
    """Silence after which an engine that is starting counts as hung."""
    silence: float = 20.0
    """Silence after which an engine that owes an answer counts as hung."""
    restarts: int = 3
    """Starts within `restart_window`; after that, only the user can start the engine."""
    restart_window: float = 60.0
    returns: int = 120
    """Attempts to reconnect to a shared engine that has ended, `return_pause` seconds apart."""
    return_pause: float = 0.5


PATIENCE = Patience()


class Reach:
    """A way to reach an engine. `model` is a `--model` specification, None for the default.
    `shared` is the socket of a shared engine; without one, or if nothing listens there, `start`
    starts a process.
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
        """Whether the engine is one that serves many."""
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
        """None where nobody listens. Where somebody did a moment ago, the engine is being started
        again, and is waited for: if everybody started a process in its place, the machine would
        not bear it. Raises `NoSharedEngine` where it does not come back."""
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
