"""Run the apps of `tutor serve`, with one process for each browser tab.

When its connection is lost, a process continues to run for a short time. If the learner reloads the
page, or the connection comes back, the page reconnects to the same process.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

if TYPE_CHECKING:
    from aiohttp.web import WebSocketResponse

KEPT = 60.0
"""The number of seconds for which a process without a connection continues to run."""
PER_LEARNER = 3
"""The maximum number of processes that a learner can have at the same time."""
PATIENCE = 8.0
"""The number of seconds that the app gets to save everything and exit."""

_START = b"\x1b[?1049h\x1b[?25l\x1b[?2004h"
"""The first bytes that the app writes.

It switches to the alternate screen, hides the cursor, and turns on bracketed paste.
"""
_REDRAW = b"\x0c"  # Ctrl+L
_LARGEST = {"width": 400, "height": 200}
_SMALLEST = {"width": 10, "height": 4}

# The logger of textual-serve reports connection errors, which the server ignores.
logging.getLogger("textual-serve").addHandler(logging.NullHandler())


class Size(NamedTuple):
    """The size of a terminal in cells, within the limits that the app can handle."""

    width: int
    height: int

    @classmethod
    def of(cls, width: object, height: object) -> Size:
        """Return the size within the limits that is nearest to the browser's size."""
        return cls(_within("width", width), _within("height", height))


def _within(name: str, value: object) -> int:
    try:
        number = int(value) if isinstance(value, str | int) else 0
    except ValueError:
        number = 0
    return min(max(number, _SMALLEST[name]), _LARGEST[name])


class Launch(NamedTuple):
    """A command that starts the app, with its environment.

    The size of the page is added to the command.
    """

    command: Sequence[str]
    environment: dict[str, str]


class Session(AppService):
    """A running app, with the connection to the browser tab that shows it, if there is one."""

    def __init__(self, launch: Launch) -> None:
        super().__init__(
            launch.command[0],
            write_bytes=self._show,
            write_str=_ignore,
            close=self.disconnect,
            download_manager=DownloadManager(),
        )
        self._launch = launch
        self._tab: WebSocketResponse | None = None
        self.ended = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._tab is not None

    def connect(self, tab: WebSocketResponse) -> None:
        self._tab = tab

    async def reconnect(self, tab: WebSocketResponse, size: Size) -> None:
        """Show the running app in another tab."""
        self.connect(tab)
        await self._show(_START)
        await self.set_terminal_size(*size)
        await self.send_bytes(_REDRAW)

    def lose(self, tab: WebSocketResponse) -> None:
        """Forget a connection that was lost."""
        if self._tab is tab:
            self._tab = None

    async def disconnect(self) -> None:
        tab, self._tab = self._tab, None
        if tab is not None:
            await tab.close()

    async def run(self) -> None:
        """Send the app's output to the tab until the app exits."""
        try:
            await super().run()
        finally:
            self.ended.set()
            await self.disconnect()

    async def stop(self) -> None:
        """Ask the app to exit, and kill it if it doesn't exit in time.

        Overrides `AppService.stop`, which must not be called by more than one task at a time.
        """
        process = self._process
        if process is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.send_meta({"type": "quit"})
                await self.ended.wait()
                await process.wait()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        await self.ended.wait()

    async def on_data(self, payload: bytes) -> None:
        await self._show(payload)

    async def on_meta(self, data: bytes) -> None:
        """Ignore the app's requests to open an address or save a file. tutor's app never sends any.

        The app's output ends when the app exits, and `run` handles this.
        """

    async def on_packed(self, payload: bytes) -> None:
        """Ignore messages with parts of files. tutor's app never sends any."""

    async def _show(self, data: bytes) -> None:
        """Send output to the tab.

        If there is no tab, drop the output, so that the app never has to wait.
        """
        if self._tab is not None:
            with suppress(ConnectionError, RuntimeError):  # The tab may just have closed.
                await self._tab.send_bytes(data)

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._launch.command,
            "--browser",
            f"{width}x{height}",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._launch.environment,
            # Ctrl+C in the terminal must stop only the server, which then stops the sessions
            # itself.
            start_new_session=True,
        )
        self._stdin = process.stdin
        return process


async def _ignore(text: str) -> None:
    """Discard a text message from textual-serve to the page."""


class Sessions:
    """All sessions of the server. At most `most` sessions can run at the same time."""

    def __init__(self, most: int, launch: Callable[[str], Launch], kept: float = KEPT) -> None:
        """Create an empty set of sessions.

        `launch` returns the command that starts the app for a learner.
        """
        self._most = most
        self._launch = launch
        self._kept = kept
        self._learners: dict[Session, str] = {}
        self._stopping: dict[Session, asyncio.Task[None]] = {}
        """For each session without a connection, the task that stops it after a while."""

    def __len__(self) -> int:
        return len(self._learners)

    @property
    def connected(self) -> int:
        """Return the number of sessions that are shown in a tab."""
        return len(self._learners) - len(self._stopping)

    def may_open(self, learner: str) -> bool:
        """Return True if the learner can open another tab."""
        if self._left_by(learner) is not None:
            return True
        own = sum(each == learner for each in self._learners.values())
        return own < PER_LEARNER and self.connected < self._most

    async def open(self, learner: str, tab: WebSocketResponse, size: Size) -> Session | None:
        """Return the session for a new tab, or None if there are too many sessions."""
        if not self.may_open(learner):
            return None
        session = self._left_by(learner)
        if session is not None:
            self._stopping.pop(session).cancel()
            await session.reconnect(tab, size)
            return session
        in_the_way = next(iter(self._stopping), None) if len(self) >= self._most else None
        session = Session(self._launch(learner))
        self._learners[session] = learner
        session.connect(tab)
        # Make room by stopping the session that has been disconnected the longest.
        if in_the_way is not None:
            await self._stop(in_the_way)
        await session.start(*size)
        return session

    async def leave(self, session: Session, tab: WebSocketResponse) -> None:
        """Stop the session whose tab was closed, unless the learner reopens the page in time."""
        session.lose(tab)
        if session.ended.is_set():
            await self._stop(session)
        elif session in self._learners and not session.connected:
            self._stopping[session] = asyncio.create_task(self._stop_later(session))

    async def close(self) -> None:
        """End all sessions of the server."""
        await asyncio.gather(*(self._stop(session) for session in list(self._learners)))

    def _left_by(self, learner: str) -> Session | None:
        """Return a running session of the learner that has no connection, or None.

        If there are several, return the one that lost its connection most recently.
        """
        left = (each for each in reversed(self._stopping) if self._learners[each] == learner)
        return next((each for each in left if not each.ended.is_set()), None)

    async def _stop_later(self, session: Session) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._kept):
                await session.ended.wait()
        self._stopping.pop(session, None)
        await self._stop(session)

    async def _stop(self, session: Session) -> None:
        if (waiting := self._stopping.pop(session, None)) is not None:
            waiting.cancel()
        try:
            await session.stop()
        finally:
            self._learners.pop(session, None)
