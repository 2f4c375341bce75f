"""Read what the learner types, without blocking the event loop."""

from __future__ import annotations

import asyncio
import os
import threading

_CHUNK = 65536
LONGEST = 100_000
"""The maximum length of a line, in bytes. Longer lines are truncated."""


class TypedLines:
    """The lines that arrive on a file descriptor, read by a thread.

    The thread reads the descriptor directly. With Python's buffered reader, a lock would keep the
    interpreter from exiting while the thread waits for input.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, name="typed lines", daemon=True).start()

    async def next(self, seconds: float | None = None) -> str | None:
        """Return the next line, or None at the end of the input.

        Raises `TimeoutError` if no line arrives within the given number of seconds.
        """
        return await asyncio.wait_for(self._lines.get(), seconds)

    def end(self) -> None:
        """End the input after the lines that the learner has already typed."""
        self._lines.put_nowait(None)

    def _read(self) -> None:
        rest = b""
        while data := self._chunk():
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[:LONGEST]
            for line in lines:
                self._put(line[:LONGEST].decode("utf-8", "replace").rstrip("\r"))
        if rest:
            self._put(rest.decode("utf-8", "replace"))
        self._put(None)

    def _chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK)
        except OSError:  # the terminal has been closed
            return b""

    def _put(self, line: str | None) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
