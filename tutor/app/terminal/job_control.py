"""Stop and continue the app, as with `kill -STOP` and `fg`, and keep the terminal's modes correct.

Textual handles SIGTSTP and SIGCONT at any point of the program, even inside these handlers, which
can block forever. It also starts to read and draw on every SIGCONT. If it had not stopped before,
two threads then read the keys, in any order, and the app could not exit. A SIGCONT without a stop
is common: a terminal that is closed sends one together with SIGHUP.
"""

from __future__ import annotations

import asyncio
import os
import signal

from textual.drivers.linux_driver import LinuxDriver


class JobControlDriver(LinuxDriver):
    """Textual's driver, with handlers for SIGTSTP and SIGCONT that run on the event loop."""

    def start_application_mode(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGCONT, self._continue)
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def _stop(self) -> None:
        """Give the terminal back, and stop this process."""
        self._leave_terminal()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continue(self) -> None:
        """Take the terminal again, unless another program uses it or the app is exiting.

        If the process was stopped by SIGSTOP, the terminal has not been given back. Its modes may
        have changed since.
        """
        self._leave_terminal()
        if self._must_signal_resume and self._auto_restart:
            self.resume_application_mode()

    def _leave_terminal(self) -> None:
        if (
            self._auto_restart
            and self._writer_thread is not None
            and self._writer_thread.is_alive()
        ):
            self.suspend_application_mode()
            # Taking the terminal again resets this, except in the background.
            self._must_signal_resume = True
