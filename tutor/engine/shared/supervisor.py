"""Keep a shared engine running on machines without a service manager."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from tutor.engine.process import in_words
from tutor.engine.shared.limits import Limits, as_arguments
from tutor.environment import without_keys
from tutor.errors import EngineError

LONGEST_WAIT = 30.0
"""The maximum number of seconds between two restarts of an engine that exits repeatedly."""
STABLE = 30.0
"""An engine that has run for this number of seconds has started successfully."""


def supervise(
    listening: socket.socket,
    model: str | None,
    limits: Limits,
    on_end: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Run an engine on this socket, and restart it when it ends.

    SIGTERM or SIGINT ends this function with an exception.

    `on_end` is called with a sentence that describes how the engine ended. Raises `EngineError` if
    the model cannot be loaded.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    descriptor = listening.fileno()
    command = [sys.executable, "-m", "tutor.engine.shared", f"--listening={descriptor}"]
    command += [] if model is None else [f"--model={model}"]
    command += as_arguments(limits)
    wait = 0.1
    while True:
        started = time.monotonic()
        status = _run(command, descriptor)
        if status > 0:  # the engine has already printed the reason
            raise EngineError("The engine did not start.", "See the messages above for the reason.")
        wait = 0.1 if time.monotonic() - started > STABLE else min(2 * wait, LONGEST_WAIT)
        on_end(f"The engine {in_words(status)} and is restarting.")
        time.sleep(wait)


def _run(command: list[str], descriptor: int) -> int:
    """Run an engine and return its exit status.

    The engine ends when this process ends, because its standard input is closed then.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        pass_fds=[descriptor],
        env=without_keys(),
        start_new_session=True,  # Ctrl+C stops this process, which ends the engine
    )
    try:
        return process.wait()
    finally:
        process.terminate()
        process.wait()
