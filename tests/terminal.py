"""A real terminal for end-to-end tests: a command in a pty, and the contents of its screen.

Only a real pty shows the effect of signals, which bytes are sent, and what is left on the screen at
the end. Nothing here waits for a fixed time: every wait reads the output as it arrives, with a
deadline.

    with Terminal([sys.executable, "-m", "tutor"]) as terminal:
        terminal.wait_for("Continue")
        terminal.press("enter")
        terminal.wait_for("screen 1 of")
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pyte

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "esc": "\x1b",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "home": "\x1b[H",
    "end": "\x1b[F",
}

DEADLINE = 30.0
"""The default limit of a wait in seconds: long enough for slow machines, and not a measurement."""

_NOT_PLAIN = {"NO_COLOR", "COLORTERM", "COLUMNS", "LINES"}

# Pyte does not know sequences with these prefixes (mostly keyboard protocols), and would show
# their ends as text.
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;:]*[ -/]*[@-~]")
_UNFINISHED = re.compile(rb"\x1b(\[[0-?]*[ -/]*)?$")

# The private mode 2026, synchronized output: a program that knows of it marks the begin and the end
# of each update, and the terminal shows the update only when all of it has arrived.
_ASKED_FOR_MODE = b"\x1b[?2026$p"
_MODE_IS_SUPPORTED = b"\x1b[?2026;2$y"
_UPDATE_BEGINS = b"\x1b[?2026h"
_UPDATE_ENDS = b"\x1b[?2026l"


class TerminalTimeout(AssertionError):
    """Raised if the expected output did not arrive. The message includes the screen."""


class Terminal:
    """A running command and its terminal of `columns` by `lines` cells.

    Like most terminals of today, it shows an update as a whole if the command marks its begin and
    end: a test never sees a new heading above the old line of keys. `output` has all bytes that the
    command has sent so far, and `screen` is the pyte screen for them. `environment` is added to a
    plain one (TERM=xterm-256color, UTF-8, no color settings, no size); a value of None removes a
    variable. Leaving the context kills the command if it is still running.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        columns: int = 80,
        lines: int = 24,
        environment: Mapping[str, str | None] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.output = bytearray()
        self.drawn = True
        """True if `screen` is updated. Some output would prevent this."""
        self._stream = pyte.ByteStream(self.screen)
        self._held_back = b""
        self._master, slave = pty.openpty()
        os.set_blocking(self._master, False)  # a command may end while it is being sent a lot
        self._ended = False
        _set_size(slave, columns, lines)
        try:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=_environment(environment or {}),
                cwd=folder,
                start_new_session=True,
                preexec_fn=_take_terminal,
            )
        except OSError:
            os.close(self._master)
            raise
        finally:
            os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the command, if it is still running, and close the terminal."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    # --- output ---------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The screen as lines without trailing spaces."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, timeout: float) -> int:
        """Read the command's output, and return the number of bytes.

        Waits up to `timeout` seconds for the first byte.
        """
        data = self._received(timeout)
        self._show(data)
        return len(data)

    def arrival(self, seen: Callable[[], bool], seconds: float) -> float | None:
        """Read for `seconds`, and return the time when the output arrived that made `seen()` true.

        The result is on the clock of `time.perf_counter`, or None if `seen()` is still false. This
        draws nothing before all has been read: drawing takes much longer than reading.
        """
        deadline = time.perf_counter() + seconds
        pieces: list[tuple[float, bytes]] = []
        while (left := deadline - time.perf_counter()) > 0 and not self._ended:
            if data := self._received(left):
                pieces.append((time.perf_counter(), data))
        found = None
        for arrived, data in pieces:
            self._show(data)
            if found is None and seen():
                found = arrived
        return found

    def _received(self, timeout: float) -> bytes:
        """Return the command's output, waiting up to `timeout` seconds for the first byte."""
        if self._ended or not select.select([self._master], [], [], max(0.0, timeout))[0]:
            return b""
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux returns EIO when the terminal's last user is gone
            data = b""
        self._ended = not data
        asked = _ASKED_FOR_MODE in self.output[1 - len(_ASKED_FOR_MODE) :] + data
        self.output += data
        if asked:
            self._reply(_MODE_IS_SUPPORTED)
        return data

    def _reply(self, data: bytes) -> None:
        """Answer a question of the command, unless it has ended or has stopped reading."""
        with contextlib.suppress(OSError):
            os.write(self._master, data)

    def _show(self, data: bytes) -> None:
        if not self.drawn:
            return
        data = self._held_back + data
        unfinished = _UNFINISHED.search(data)
        cut = unfinished.start() if unfinished else len(data)
        if not self._ended and (begin := data.rfind(_UPDATE_BEGINS)) > data.rfind(_UPDATE_ENDS):
            cut = begin
        self._held_back = data[cut:]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data[:cut]))

    def wait_until(self, seen: Callable[[], bool], what: str, timeout: float = DEADLINE) -> float:
        """Read until `seen()` is true, and return the seconds that this took.

        `what` describes this in the error. Raises `TerminalTimeout` after `timeout`
        seconds, or if the command ends first.
        """
        begin = time.perf_counter()
        while not seen():
            left = timeout - (time.perf_counter() - begin)
            if left <= 0 or self._ended:
                why = "the command ended" if self._ended else f"nothing for {timeout:g} s"
                raise TerminalTimeout(f"{why} while waiting for {what}. The screen:\n{self.text}")
            self.read(left)
        return time.perf_counter() - begin

    def wait_for(self, text: str, timeout: float = DEADLINE) -> float:
        """Read until `text` is on the screen, and return the seconds that this took."""
        return self.wait_until(lambda: text in self.text, repr(text), timeout)

    def wait_gone(self, text: str, timeout: float = DEADLINE) -> float:
        """Read until `text` is no longer on the screen, and return the seconds that this took."""
        return self.wait_until(lambda: text not in self.text, f"the end of {text!r}", timeout)

    def wait_quiet(self, seconds: float = 0.5, timeout: float = DEADLINE) -> None:
        """Read until nothing has arrived for `seconds`: the screen is complete and idle."""
        deadline = time.perf_counter() + timeout
        while self.read(seconds):
            if time.perf_counter() > deadline:
                raise TerminalTimeout(f"no rest for {timeout:g} s. The screen:\n{self.text}")

    def bytes_within(self, seconds: float) -> int:
        """Return the number of bytes that the command sends in the next `seconds`."""
        before, deadline = len(self.output), time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0 and not self._ended:
            self.read(left)
        return len(self.output) - before

    # --- input ---------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Press keys, by their name in `KEYS` or as the characters themselves."""
        for key in keys:
            self.send(KEYS.get(key, key))

    def send(self, text: str | bytes) -> None:
        """Type bytes as they are; the output is read in the meantime, so that neither side blocks.

        Bytes after the end of the command are lost.
        """
        data = text.encode() if isinstance(text, str) else text
        moved = time.monotonic()
        while data and not self._ended and self.process.poll() is None:
            readable, writable, _ = select.select([self._master], [self._master], [], 1.0)
            if readable and self.read(0):
                moved = time.monotonic()
            elif writable:
                try:
                    data = data[os.write(self._master, data) :]
                    moved = time.monotonic()
                except BlockingIOError:  # the buffer is full although it was reported as writable
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.process.wait(0.05)
            if time.monotonic() - moved > DEADLINE:
                raise TerminalTimeout(f"nothing is read or written any more:\n{self._processes()}")

    def _processes(self) -> str:
        """Return the state and the command line of each process of the command."""
        own = psutil.Process(self.process.pid)
        said = []
        for each in (own, *own.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                said.append(f"{each.pid} {each.status()} {' '.join(each.cmdline())}")
        return "\n".join(said)

    def resize(self, columns: int, lines: int) -> None:
        """Change the size; the kernel tells the command with SIGWINCH."""
        self.screen.resize(lines, columns)
        _set_size(self._master, columns, lines)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Drop the connection: the kernel sends SIGHUP, and reading and writing then fail."""
        self._ended = True
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def wait_exit(self, timeout: float = DEADLINE) -> int:
        """Read until the command ends; return its exit status, or minus the signal's number."""
        deadline = time.perf_counter() + timeout
        while not self._ended and time.perf_counter() < deadline:
            self.read(deadline - time.perf_counter())
        try:
            return self.process.wait(max(0.1, deadline - time.perf_counter()))
        except subprocess.TimeoutExpired:
            raise TerminalTimeout(
                f"still running after {timeout:g} s. The screen:\n{self.text}"
            ) from None

    def line_modes(self) -> tuple[int, ...]:
        """Return the modes of the terminal's input and output, such as whether it echoes keys."""
        return tuple(termios.tcgetattr(self._master)[:4])

    def memory(self) -> int:
        """Return the bytes that only this process uses (USS), without its children."""
        return int(psutil.Process(self.process.pid).memory_full_info().uss)


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if key not in _NOT_PLAIN}
    wanted = {
        **{
            "TUTOR_TOUR": "off"
        },  # new learners start at the course map unless a test says otherwise
        **plain,
        **{"TERM": "xterm-256color", "LANG": "C.UTF-8"},
        **changes,
    }
    return {key: value for key, value in wanted.items() if value is not None}


def _take_terminal() -> None:
    """Make the pty the controlling terminal of the new session, so that it sends signals.

    Under `nohup`, the tests and their child processes would otherwise ignore SIGHUP.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _set_size(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
