"""Keep a shared engine running on machines without a service manager.

While an engine serves learners, a second one waits with the model in memory. If the first exits,
the second takes its place, so learners don't have to wait while PyTorch is imported.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from tutor.engine.process import in_words
from tutor.engine.shared.limits import BEGIN, NOT_LOADED, Limits, as_arguments
from tutor.environment import without_keys
from tutor.errors import EngineError
from tutor.lm.fast.free_memory import available_memory

LONGEST_WAIT = 30.0
"""The maximum number of seconds between restarts of an engine that exits repeatedly."""
STABLE = 30.0
"""The number of seconds after which an engine counts as successfully started."""
SPARE_AFTER = 10.0
"""The number of seconds from the start of an engine to the start of its spare. Until then, the
engine and its learners need the CPU."""
SPARE_MEMORY = 1024**3
"""The number of bytes that must be free to start a spare engine, which takes about 160 MB."""


def supervise(
    listening: socket.socket,
    model: str | None,
    limits: Limits,
    on_end: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Run an engine on this socket, and restart it when it exits.

    `on_end` is called with a sentence that describes how the engine exited. This function never
    returns. SIGTERM raises `SystemExit`, and SIGINT raises `KeyboardInterrupt`. Raises
    `EngineError` if the model cannot be loaded.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    descriptor = listening.fileno()
    command = [sys.executable, "-m", "tutor.engine.shared", f"--listening={descriptor}"]
    command += [] if model is None else [f"--model={model}"]
    command += as_arguments(limits)
    engines = _Engines(command, descriptor)
    wait = 0.1
    try:
        while True:
            started = time.monotonic()
            status = engines.serve()
            lasted = time.monotonic() - started
            if cannot_start(status, lasted):  # the engine has already printed the reason
                raise EngineError(
                    "The engine did not start.", "See the messages above for the reason."
                )
            wait = 0.1 if lasted > STABLE else min(2 * wait, LONGEST_WAIT)
            on_end(f"The engine {in_words(status)} and is restarting.")
            time.sleep(wait)
    finally:
        engines.end()


def cannot_start(status: int, lasted: float) -> bool:
    """Return True if an engine that exited after `lasted` seconds would fail again.

    If `status` is positive, it is the engine's exit status. If it is negative, a signal has
    terminated the engine. If it is 0, the engine has ended without an error, so it is restarted. An
    engine that has served learners for a while and then fails is also restarted.
    """
    return status == NOT_LOADED or (status > 0 and lasted <= STABLE)


class _Engines:
    """The engine that serves the learners, and a spare engine on standby.

    Both exit when this process exits, because that closes their standard input.
    """

    def __init__(self, command: list[str], descriptor: int) -> None:
        self._command = command
        self._descriptor = descriptor
        self._engine: subprocess.Popen[bytes] | None = None
        self._spare: subprocess.Popen[bytes] | None = None

    def serve(self) -> int:
        """Run an engine until it exits, and return its exit status. Also start a spare engine."""
        spare, self._spare = self._spare, None
        if spare is not None and spare.poll() is None:
            self._engine = spare
            _begin(spare)
        else:
            self._engine = self._start()
        with suppress(subprocess.TimeoutExpired):
            return self._engine.wait(SPARE_AFTER)
        free = available_memory()
        if free is None or free > SPARE_MEMORY:
            self._spare = self._start("--spare")
        return self._engine.wait()

    def end(self) -> None:
        """End both engines."""
        for process in (self._engine, self._spare):
            if process is not None:
                process.terminate()
                process.wait()

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self._command, *options],
            stdin=subprocess.PIPE,
            pass_fds=[self._descriptor],
            env=without_keys(),
            start_new_session=True,  # Ctrl+C stops this process, which stops the engines
        )


def _begin(spare: subprocess.Popen[bytes]) -> None:
    assert spare.stdin is not None
    with suppress(BrokenPipeError):  # the spare engine has exited
        spare.stdin.write(BEGIN)
        spare.stdin.flush()
