"""The real program on a pseudoterminal, read by a terminal emulator."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pyte

PATIENCE = 30.0
"""Seconds to wait for something to appear before a test fails."""


class Terminal:
    """A child process, what it sent, and what a terminal would show of it."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, size: tuple[int, int]):
        self.process = process
        self.sent = bytearray()
        self._master = master
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def last_line(self) -> str:
        return self.text.split("\n")[-1]

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read(self, seconds: float) -> bytes:
        """What comes within `seconds`."""
        got = bytearray()
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                break
            got += self._take()
        return bytes(got)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or (self.process.poll() is not None and not self.read(0.2)):
                raise AssertionError(f"it never came; the screen is\n{self.text}")
            if select.select([self._master], [], [], min(left, 0.5))[0]:
                self._take()

    def until_shown(self, text: str) -> None:
        self.until(lambda: text in self.text)

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._master >= 0:
            os.close(self._master)

    def _take(self) -> bytes:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return b""
        self.sent += data
        self._stream.feed(data.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        return data


@contextmanager
def terminal(
    command: list[str],
    *,
    data: Path,
    size: tuple[int, int] = (80, 24),
    environment: Mapping[str, str | None] | None = None,
) -> Iterator[Terminal]:
    """Run `command` on a terminal of `size` (columns, rows); `environment` changes that of this
    process, None removes a variable."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    changes = {
        "TERM": "xterm-256color",
        "COLORTERM": None,
        "NO_COLOR": None,
        "TUTOR_DATA": str(data),
        **(environment or {}),
    }
    variables = {**os.environ, **changes}
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={name: value for name, value in variables.items() if value is not None},
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(slave)
    run = Terminal(process, master, size)
    try:
        yield run
    finally:
        run.close()


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that hanging up sends SIGHUP."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP, signal.SIGTERM})
    ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def tutor(
    data: Path,
    *,
    size: tuple[int, int] = (80, 24),
    environment: Mapping[str, str | None] | None = None,
) -> Iterator[Terminal]:
    """`tutor` itself, without a model: nothing is fetched and no engine loads."""
    no_model = {"TUTOR_MODEL": str(data / "no-such-model.gguf")}
    with terminal(
        [sys.executable, "-m", "tutor"],
        data=data,
        size=size,
        environment={**no_model, **(environment or {})},
    ) as run:
        yield run
