"""Handle Ctrl+C: print a message and exit with the status that shells expect.

This module imports almost nothing, so that Ctrl+C is handled from the start.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130


def interrupted() -> int:
    """Report the interruption and return the exit status."""
    os.write(2, b"tutor: interrupted.\n")
    return INTERRUPTED


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Let Ctrl+C end the process at once inside this block, which imports modules.

    A `KeyboardInterrupt` could be raised anywhere in an import. Some modules swallow it there, and
    in others it makes C++ code abort.
    """
    with on_signals(lambda: os._exit(interrupted()), "SIGINT"):
        yield


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether this process has been asked to stop.

    After the first Ctrl+C or SIGTERM, the function returns True, so that the current step can
    finish. The second signal raises `KeyboardInterrupt`.
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
    """Call `handle` on each of these signals during the block.

    Names of signals that the system lacks are ignored.
    """
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, lambda *_: handle()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
