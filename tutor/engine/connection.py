"""The app's connection to the socket of a shared engine."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import assert_never

from tutor import __version__, paths
from tutor.engine import frames, wire
from tutor.errors import EngineError, NoSharedEngine


class EngineConnection:
    """A connection to a shared engine, created by `open`. No method blocks the event loop."""

    pid = None
    shared = True

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(
        cls, path: Path, greeting: wire.Hello | wire.AskEngineLoad | None = None
    ) -> EngineConnection:
        """Connect to the socket at `path`. Raises `NoSharedEngine` if the connection fails."""
        if sys.platform == "win32":
            raise NoSharedEngine("Shared engines are not supported on Windows.")
        try:
            connection = cls(*await asyncio.open_unix_connection(path))
        except OSError as error:
            raise NoSharedEngine(
                f"No engine is running at {path}: {error.strerror or error}.",
                "The administrator of this machine can start one: `tutor engine`.",
            ) from error
        connection.send(greeting or wire.Hello(__version__, paths.learner_named()))
        return connection

    def send(self, message: wire.Message) -> None:
        if not self._writer.is_closing():
            self._writer.write(frames.pack(message))

    async def receive(self) -> wire.FromEngine | None:
        return await frames.received(self._reader)

    async def end(self) -> str:
        self._writer.close()
        return "The shared engine has exited."

    def kill(self) -> None:
        self._writer.transport.abort()


async def load_of(path: Path) -> wire.EngineLoad:
    """Return the load report of the shared engine at this socket.

    Raises `NoSharedEngine` if no engine listens on the socket, or `EngineError` if the engine does
    not send a valid response in time.
    """
    connection = await EngineConnection.open(path, wire.AskEngineLoad())
    try:
        while (message := await connection.receive()) is not None:
            match message:
                case wire.EngineLoad():
                    return message
                case wire.Failed():
                    raise EngineError(message.happened, message.next_step)
                case wire.Loading() | wire.Ready() | wire.Pong():
                    pass  # not responses to the request
                case wire.Answer():
                    raise EngineError(
                        f"The engine sent an unexpected response: {type(message).__name__}."
                    )
                case _:
                    assert_never(message)
    finally:
        connection.kill()
    raise NoSharedEngine(f"The engine at {path} did not respond.", "It may be starting. Try again.")
