"""Test when the driver takes and leaves a terminal. `test_on_a_terminal.py` tests the whole app."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from textual.app import App

if sys.platform == "win32":
    pytest.skip("Windows has another driver", allow_module_level=True)

from tutor.app.terminal.driver import TerminalDriver


@contextmanager
def driver_on_a_pty() -> Iterator[tuple[TerminalDriver, int]]:
    """Yield a driver for a new terminal, and the descriptor from which its output can be read."""
    numbers = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTOU, signal.SIGTTIN)
    before = [signal.getsignal(number) for number in numbers]
    master, slave = pty.openpty()
    try:
        driver = TerminalDriver(App())
        driver.fileno, driver._file = slave, os.fdopen(slave, "w")
        yield driver, master
    finally:
        os.close(master)
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def all_output(driver: TerminalDriver, master: int) -> bytes:
    """Close the driver and its terminal, and return everything that was written to it."""
    driver.close()
    assert driver._file is not None
    driver._file.close()
    output = b""
    with suppress(OSError):  # Linux reports the end as an error
        while data := os.read(master, 4096):
            output += data
    return output


async def test_a_late_continue_does_not_take_the_terminal_again() -> None:
    """The app exits after the event loop has read SIGCONT, but before it calls the handler."""
    loop = asyncio.get_running_loop()
    with driver_on_a_pty() as (driver, master):
        driver.start_application_mode()
        os.kill(os.getpid(), signal.SIGCONT)
        # The event loop reads the signal after this call, and calls the handler after the next.
        given_up = asyncio.Event()
        loop.call_soon(loop.call_soon, driver.suspend_application_mode)
        loop.call_soon(loop.call_soon, loop.call_soon, given_up.set)
        await given_up.wait()
        output = all_output(driver, master)
    assert output.count(b"\x1b[?1049h") == output.count(b"\x1b[?1049l") == 1
