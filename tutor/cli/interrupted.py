"""Handle Ctrl+C: print one sentence and exit with the status that shells expect.

This module imports almost nothing, so that Ctrl+C is handled before anything else can be
interrupted.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130


def interrupted() -> int:
    """Report the interruption; return the exit status."""
    os.write(2, b"tutor: interrupted.\n")
    return INTERRUPTED


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Let Ctrl+C end the process at once while something is imported.

    A `KeyboardInterrupt` could be raised anywhere in the import, where it is swallowed or makes
    C++ code abort.
    """
    with on_signals(lambda: os._exit(interrupted()), "SIGINT"):
        yield


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether this process was asked to stop.

    Ctrl+C and SIGTERM ask it to stop, so that the current step can finish. A second signal
    raises `KeyboardInterrupt`.
    """
    told = False

    def stop() -> None:
        nonlocal told
        if told:
            raise KeyboardInterrupt
        told = True

    with on_signals(stop, "SIGINT", "SIGTERM"):
        yield lambda: told


@contextmanager
def on_signals(handle: Callable[[], object], *names: str) -> Iterator[None]:
    """Call `handle` at each of these signals that the system has, until the block ends."""
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, lambda *_: handle()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
