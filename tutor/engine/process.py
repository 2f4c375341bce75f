"""Start an engine process from the app, exchange messages with it, and stop it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import BinaryIO

from tutor import paths, private
from tutor.engine import frames
from tutor.engine.wire import FromEngine, Message
from tutor.environment import without_keys
from tutor.errors import EngineError, NoHome

# The option -P prevents imports from the current folder.
COMMAND = (sys.executable, "-P", "-m", "tutor.engine")
LOG_LIMIT = 1024 * 1024  # bytes; the log is truncated if it is larger
PATIENCE = 2.0  # seconds to wait for the process to exit on its own


class EngineProcess:
    """A running engine process, created with `start`. No method blocks the event loop."""

    shared = False

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str]) -> EngineProcess:
        """Start an engine with this command. Raises `EngineError` if the process cannot start."""
        log = _log()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if log is None else log,
                env=without_keys(),
                # In its own session, the engine gets no signal when the user presses Ctrl+C or
                # closes the terminal. The app gets the signal and stops the engine.
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(f"The engine could not be started: {error}.") from error
        finally:
            if log is not None:
                log.close()
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Message) -> None:
        assert self._process.stdin is not None
        frame = frames.pack(message)
        if not self._process.stdin.is_closing():
            self._process.stdin.write(frame)

    async def receive(self) -> FromEngine | None:
        assert self._process.stdout is not None
        return await frames.received(self._process.stdout)

    async def end(self) -> str:
        assert self._process.stdin is not None
        self._process.stdin.close()  # the engine exits when its input is closed
        try:
            async with asyncio.timeout(PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        return f"The engine process {in_words(await self._process.wait())}."

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()


def in_words(status: int) -> str:
    """Describe an exit status as the end of a sentence, such as "exited with status 1"."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was terminated by signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"was terminated by signal {-status}"


def _log() -> BinaryIO | None:
    """Open the engine's log file for writing.

    Returns None if the file cannot be written, because the engine can run without a log.
    """
    try:
        path = paths.log_file()
        private.make_folder(path.parent)
        long = path.exists() and path.stat().st_size > LOG_LIMIT
        begin = os.O_TRUNC if long else os.O_APPEND
        return os.fdopen(private.open_file(path, os.O_WRONLY | os.O_CREAT | begin), "wb")
    except (NoHome, OSError):
        return None
