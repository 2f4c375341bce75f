"""Connect to a shared engine if there is one, or else start an engine process."""

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
        """The process id of the engine, or None for a shared engine."""
        ...

    @property
    def shared(self) -> bool:
        """Return True if the engine is shared with other learners."""
        ...

    def send(self, message: Message) -> None:
        """Send a message. The event loop must be running.

        If the engine has gone, the message is dropped, and pending requests fail once `receive`
        detects the end of the connection.
        """
        ...

    async def receive(self) -> FromEngine | None:
        """Return the next message, or None at the end. Raises `EngineError` if it is invalid."""
        ...

    async def end(self) -> str:
        """Close the connection or process, and return a sentence that describes how it ended."""
        ...

    def kill(self) -> None:
        """Close the connection or kill the process immediately."""
        ...


Start = Callable[[Sequence[str]], Awaitable[Channel]]


@dataclass(frozen=True)
class Patience:
    """Timeouts for an engine, in seconds, and the number of restarts.

    Before the model is ready, long periods of silence are normal: loading a library from a slow
    disk blocks every thread of a Python process.
    """

    start_silence: float = 120.0
    """How long a starting engine may stay silent before it is considered hung, in seconds."""
    silence: float = 20.0
    """How long an engine that owes a response may stay silent before it is considered hung."""
    restarts: int = 3
    """The maximum number of restarts within `restart_window`. After that, the user must restart it.
    """
    restart_window: float = 60.0
    returns: int = 120
    """The maximum number of attempts to reconnect to a shared engine, `return_pause` seconds apart.
    """
    return_pause: float = 0.5


PATIENCE = Patience()


class Reach:
    """A strategy for connecting to an engine.

    `model` is a `--model` specification, or None for the default model. `shared` is the socket path
    of a shared engine. If it is None, or if no engine listens on it, `open` starts a process.
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
        """True if the engine is shared."""
        self.shared = shared
        self.joins = True
        """False if the learner has chosen their own engine instead of the shared one."""
        self._command = command
        self._start = start

    def for_labs(self) -> Reach:
        """Return a `Reach` for the learner's own engine that serves only labs."""
        command = (*self._command, "--labs")
        return Reach(self.model, None, command, self.patience, self._start)

    async def open(self, wanted: Callable[[], bool]) -> Channel:
        """Connect to an engine or start one while `wanted()` is true. Raises `EngineError`."""
        if self.shared is not None and self.joins:
            shared = await self._open_shared(self.shared, wanted)
            if shared is not None:
                return shared
        model = () if self.model is None else ("--model", self.model)
        return await self._start([*self._command, *model])

    async def _open_shared(self, path: Path, wanted: Callable[[], bool]) -> Channel | None:
        """Return a connection to the shared engine, or None if there is no shared engine.

        If this client was connected before, the engine is probably restarting, so wait for it: the
        machine could not cope if every learner started a separate process. Raises `NoSharedEngine`
        if the engine does not come back.
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
