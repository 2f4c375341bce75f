"""Read keys from and draw on a terminal of Linux or macOS: Textual's driver, with some changes.

The app stops and continues, as with `kill -STOP` and `fg`, with the correct modes of the terminal.
Textual handles SIGTSTP and SIGCONT at any point of the program, even inside these handlers, which
can block forever. It also starts to read and draw on every SIGCONT. If it had not stopped before,
two threads then read the keys, in any order, and the app could not exit. A SIGCONT without a stop
is common: a terminal that is closed sends one together with SIGHUP.

If the app hangs, another thread can still restore the terminal before it ends the process.

The terminal does not report every movement of the pointer, because these reports take many bytes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

assert sys.platform != "win32"  # Windows has another driver, and no signals for job control

_MOUSE_REPORTS = ("\x1b[?1002", "\x1b[?1006")
"""The escape sequences that switch mouse reports on or off, without their last character.

The first sequence is for reports of clicks, the wheel and dragging. The second sequence is for
decimal coordinates in the reports.
"""

_LEAVE = "".join(
    (
        "\x1b[?2026l",  # end an update that is shown only when it is complete
        *(f"{mode}l" for mode in _MOUSE_REPORTS),
        "\x1b[?2004l",  # bracketed paste
        "\x1b[?2048l",  # reports of the size
        "\x1b[?1004l",  # reports of the focus
        "\x1b[?7h",  # wrap long lines
        "\x1b[<u",  # the Kitty keyboard protocol, which has a setting for each of the two screens
        "\x1b[?1049l",  # the alternate screen
        "\x1b[?25h",  # show the cursor
    )
).encode()
"""The escape sequences that undo what the driver has set, even if an update was interrupted."""

_PATIENCE = 0.5
"""The maximum time, in seconds, that restoring the terminal may take if the app hangs."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, with handlers for SIGTSTP and SIGCONT that run on the event loop.

    The handlers are there while the app has the terminal, and while it is stopped. An app that is
    exiting, or that has given the terminal to an editor, does not take it again.
    """

    _has_terminal = False
    """Whether the app uses the terminal. Its modes may not be set yet."""
    _stopped = False
    """Whether the app has given the terminal back only until the process continues."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._size is None:
            # Textual would ask Rich for the first size, and Python for all others. If the terminal
            # reports a size of zero, they disagree, and the app would repaint for both in turns.
            self._size = self._get_terminal_size()

    def start_application_mode(self) -> None:
        self._has_terminal, self._stopped = True, False
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGCONT, self._continue)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        super().stop_application_mode()
        self._has_terminal = self._stopped = False
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGTSTP)
        loop.remove_signal_handler(signal.SIGCONT)

    def restore_terminal(self, *, after_program: bool = False) -> None:
        """Restore the terminal from another thread, just before the process ends.

        The app may hang because the terminal accepts no output, so this does not wait for long.

        If `after_program` is true, restore a terminal that another program has used in the
        meantime. A program that is killed leaves its own modes.
        """
        if self._has_terminal or after_program:
            restoring = threading.Thread(target=self._restore, daemon=True)
            restoring.start()
            restoring.join(_PATIENCE)

    def _restore(self) -> None:
        with suppress(OSError, termios.error):
            if os.tcgetpgrp(self.fileno) != os.getpgrp():
                return  # in the background, the terminal belongs to another program
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            if self._file is not None:
                os.write(self._file.fileno(), _LEAVE)

    def _stop(self) -> None:
        """Give the terminal back, and stop this process."""
        if self._has_terminal:
            self._leave_terminal()
            self._has_terminal, self._stopped = False, True
            asyncio.get_running_loop().add_signal_handler(signal.SIGCONT, self._continue)
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continue(self) -> None:
        """Take the terminal again, unless the app has given it up in the meantime.

        If the process was stopped by SIGSTOP, the terminal has not been given back. Its modes may
        have changed since. If another signal made the app exit, this method may be called although
        the handler has been removed, because the event loop had already scheduled it.
        """
        if self._has_terminal or self._stopped:
            self._leave_terminal()
            self.resume_application_mode()

    def _leave_terminal(self) -> None:
        if self._writer_thread is not None and self._writer_thread.is_alive():
            self.suspend_application_mode()
            # Taking the terminal again resets this, except in the background.
            self._must_signal_resume = True

    def _enable_mouse_support(self) -> None:
        self._report_mouse("h")

    def _disable_mouse_support(self) -> None:
        self._report_mouse("l")

    def _report_mouse(self, how: str) -> None:
        if self._mouse:
            self.write("".join(f"{mode}{how}" for mode in _MOUSE_REPORTS))
            self.flush()
