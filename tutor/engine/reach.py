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

        If the engine has exited, the message is lost, and the pending requests fail when `receive`
        detects the end of the connection.
        """
        ...

    async def receive(self) -> FromEngine | None:
        """Wait for the next message and return it, or return None at the end of the connection.

        Raises `EngineError` if the message is invalid.
        """
        ...

    async def end(self) -> str:
        """Close the connection or stop the process, and describe in a sentence how it ended."""
        ...

    def kill(self) -> None:
        """Kill the engine process immediately, or close the connection to a shared engine."""
        ...


Start = Callable[[Sequence[str]], Awaitable[Channel]]


@dataclass(frozen=True)
class Patience:
    """The timeouts of an engine, in seconds, and the maximum number of restarts.

    While an engine starts, it may be silent for a long time, because loading a library from a slow
    disk blocks all threads of a Python process.
    """

    start_silence: float = 120.0
    """The timeout for an engine that is starting, in seconds.

    An engine that sends no message for this long is treated as hung.
    """
    silence: float = 20.0
    """The timeout for an engine with pending requests, in seconds.

    An engine that sends no message for this long is treated as hung.
    """
    restarts: int = 3
    """The maximum number of restarts within `restart_window` seconds.

    After that, only the user can restart the engine.
    """
    restart_window: float = 60.0
    returns: int = 120
    """The maximum number of attempts to reconnect to a shared engine.

    There is a pause of `return_pause` seconds between attempts.
    """
    return_pause: float = 0.5


PATIENCE = Patience()


class Reach:
    """The settings that determine which engine the app connects to, or how it starts one.

    `model` is a value of `--model`, or None for the default model. `shared` is the socket path of a
    shared engine. If it is None, or if no engine listens on it, `open` starts a process.
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
        """True if the app's current or last connection is to a shared engine."""
        self.shared = shared
        self.joins = True
        """False if the learner has chosen a separate engine instead of the shared one."""
        self.unanswered = False
        """True if no engine was listening on the socket at the last attempt to connect.

        An engine that was killed leaves its socket behind.
        """
        self._command = command
        self._start = start

    def for_labs(self) -> Reach:
        """Return the settings for a second engine, which serves only this learner's labs."""
        command = (*self._command, "--labs")
        return Reach(self.model, None, command, self.patience, self._start)

    async def open(self, wanted: Callable[[], bool]) -> Channel:
        """Connect to an engine, or start one.

        Attempts to reconnect stop when `wanted()` returns False. Raises `EngineError` if there is
        no connection.
        """
        if self.shared is not None and self.joins:
            shared = await self._open_shared(self.shared, wanted)
            if shared is not None:
                return shared
        model = () if self.model is None else ("--model", self.model)
        return await self._start([*self._command, *model])

    async def _open_shared(self, path: Path, wanted: Callable[[], bool]) -> Channel | None:
        """Return a connection to the shared engine, or None if there is no shared engine.

        If this app was connected before, the engine is probably restarting, so this method waits
        for the engine instead of returning None. Otherwise, every learner would start a separate
        engine at the same time, which would overload the machine. Raises `NoSharedEngine` if the
        engine does not restart in time.
        """
        for look in range(1, self.patience.returns + 1):
            try:
                channel = await EngineConnection.open(path)
            except NoSharedEngine:
                if not self.served:
                    self.unanswered = True
                    return None
                if not wanted() or look == self.patience.returns:
                    raise
            else:
                self.served, self.unanswered = True, False
                return channel
            await asyncio.sleep(self.patience.return_pause)
        return None
