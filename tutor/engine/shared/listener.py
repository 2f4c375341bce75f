"""Accept connections on a Unix socket, in a thread that does no other work.

No data from the socket is trusted until it has been decoded as a valid message. The size and number
of messages per connection are limited. If a client doesn't read the engine's responses, its
connection is closed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tutor import __version__, paths
from tutor.engine import frames, wire
from tutor.engine.inbox import Inbox
from tutor.engine.shared.learner import Learner
from tutor.engine.shared.limits import MEGABYTE, Limits
from tutor.engine.shared.scheduler import Scheduler
from tutor.errors import EngineError, OtherVersion, TooMuchAsked, TutorError
from tutor.text import counted

log = logging.getLogger(__name__)

GREETING_TIMEOUT = 10.0
"""The maximum number of seconds that a client may take to send its greeting."""
DRAIN_TIMEOUT = 1.0
"""The maximum number of seconds to keep reading from a rejected client."""
MOST_UNSENT = wire.MAXIMUM_FRAME + 1024 * 1024
"""The maximum number of unsent bytes per connection. It is enough for the largest response."""

_LINUX = struct.Struct("3i")  # struct ucred: process, user and group ids, see unix(7)
_MACOS = struct.Struct("2Ih16I")  # struct xucred: version, user id, count, group ids, see unix(4)
_MACOS_LEVEL, _MACOS_OPTION = 0, 1  # the constants SOL_LOCAL and LOCAL_PEERCRED


class Listener:
    """A listener on a socket, which adds a `Learner` to the scheduler for each connection."""

    def __init__(
        self, listening: socket.socket, scheduler: Scheduler[Learner], limits: Limits
    ) -> None:
        self._listening = listening
        self._scheduler = scheduler
        self._limits = limits
        self._started = time.monotonic()
        self._opened = False
        self._news: wire.Message = wire.Loading("starting")
        self._inside: dict[asyncio.StreamWriter, int] = {}
        """The open connections, each with the user id of its account."""
        self._loop = asyncio.new_event_loop()
        self.load: Callable[[str, float], wire.EngineLoad] | None = None

    def open(self) -> None:
        """Start accepting connections. Until then, they wait in the socket's backlog."""
        self._opened = True
        threading.Thread(target=self._listen, name="listener", daemon=True).start()

    def broadcast(self, news: wire.Loading | wire.Ready) -> None:
        """Send a message to all connections, and later to each new connection.

        This method is thread-safe.
        """
        self._loop.call_soon_threadsafe(self._broadcast, news)

    def give_up(self, error: TutorError) -> None:
        """Send an error to all connections, and wait until it has been sent.

        This does nothing if the listener is not open.
        """
        if not self._opened:
            return
        sending = self._send_off(wire.Failed.of(error))
        asyncio.run_coroutine_threadsafe(sending, self._loop).result(GREETING_TIMEOUT)

    async def _send_off(self, failed: wire.Failed) -> None:
        self._broadcast(failed)
        async with asyncio.timeout(GREETING_TIMEOUT / 2):
            for writer in list(self._inside):
                await writer.drain()

    def _broadcast(self, news: wire.Message) -> None:
        self._news = news
        for writer in list(self._inside):
            _write(writer, frames.pack(news))

    def _listen(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve_socket())

    async def _serve_socket(self) -> None:
        if sys.platform == "win32":
            raise EngineError("Shared engines are not supported on Windows.")
        server = await asyncio.start_unix_server(self._accept, sock=self._listening)
        async with server:
            await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._handle(reader, writer)
        except TutorError as error:
            _write(writer, frames.pack(wire.Failed.of(error)))
            await _drain(reader, writer)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # the client has disconnected
        except Exception:
            log.exception("connection")
        finally:
            self._inside.pop(writer, None)
            writer.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        account = self._admitted(writer)
        self._inside[writer] = account
        async with asyncio.timeout(GREETING_TIMEOUT):
            greeting = frames.request_from(await self._receive(reader))
        if isinstance(greeting, wire.AskEngineLoad):
            _write(writer, frames.pack(self._load()))
            return
        if not isinstance(greeting, wire.Hello):
            raise EngineError("The first message to a shared engine must be a greeting.")
        if greeting.version != __version__:
            raise OtherVersion(
                f"The shared engine runs tutor {__version__}, but this program is tutor "
                f"{greeting.version}.",
                "Quit tutor and start it again. Your progress is saved.",
            )
        labs = paths.labs_of_account(account, greeting.learner)
        await self._serve(reader, writer, account, labs)

    def _admitted(self, writer: asyncio.StreamWriter) -> int:
        """Check that a new connection is within the limits, and return its account's user id.

        Raises `TooMuchAsked` if a limit is reached, or `EngineError` if the user id is unknown.
        """
        connection: socket.socket = writer.get_extra_info("socket")
        account = _account_of(connection)
        if account is None:
            raise EngineError("The system does not report which account is connecting.")
        by_account = Counter(self._inside.values())
        if by_account.total() >= self._limits.learners:
            raise TooMuchAsked(
                f"The engine serves at most {counted(self._limits.learners, 'learner')} at a time.",
                "Try again later.",
            )
        if by_account[account] >= self._limits.of_one_account:
            raise TooMuchAsked(
                f"An account can have at most {counted(self._limits.of_one_account, 'app window')} "
                "connected.",
                "Close another app window first.",
            )
        return account

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        account: int,
        labs: Path,
    ) -> None:
        def send(message: wire.Message) -> None:
            frame = frames.pack(message)
            self._loop.call_soon_threadsafe(_write, writer, frame)

        inbox = Inbox(send)
        learner = Learner(inbox, send, account, labs)
        self._scheduler.add(learner)
        try:
            _write(writer, frames.pack(self._news))
            while True:
                inbox.take(await self._receive(reader))
                self._scheduler.wake(learner)
                if len(inbox) > self._limits.waiting:
                    raise TooMuchAsked("Too many requests are pending.", "Try again later.")
        finally:
            self._scheduler.leave(learner)

    async def _receive(self, reader: asyncio.StreamReader) -> bytes:
        header = await reader.readexactly(frames.HEADER)
        return await reader.readexactly(
            frames.payload_size(header, MEGABYTE * self._limits.message)
        )

    def _load(self) -> wire.EngineLoad:
        up = time.monotonic() - self._started
        if self.load is not None:
            return self.load(__version__, up)
        waiting = self._scheduler.slots
        accounts = len({learner.account for learner in waiting})
        return wire.EngineLoad(__version__, None, len(waiting), accounts, 0, 0, 0, 0, 0, 0, 0.0, up)


async def _drain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read from a rejected client until it closes the connection, or for up to `DRAIN_TIMEOUT`.

    If the connection were closed while the client is still sending, the client would not receive
    the last message, which contains the reason for the rejection. So only the sending side is
    closed.
    """
    with suppress(OSError, TimeoutError):
        writer.write_eof()
        async with asyncio.timeout(DRAIN_TIMEOUT):
            while await reader.read(MEGABYTE):
                pass


def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    if writer.is_closing():
        return
    writer.write(frame)
    if writer.transport.get_write_buffer_size() > MOST_UNSENT:
        writer.transport.abort()


def _account_of(connection: socket.socket) -> int | None:
    """Return the user id of the client, as reported by the operating system.

    A client cannot forge this id. Returns None if the system does not report it.
    """
    try:
        if sys.platform == "linux":
            option = socket.SO_PEERCRED
            told = connection.getsockopt(socket.SOL_SOCKET, option, _LINUX.size)
            return int(_LINUX.unpack(told)[1])
        if sys.platform == "darwin":
            told = connection.getsockopt(_MACOS_LEVEL, _MACOS_OPTION, _MACOS.size)
            return int(_MACOS.unpack(told.ljust(_MACOS.size, b"\0"))[1])
    except (OSError, struct.error):
        pass
    return None
