"""Handle Ctrl+C: print a message, and exit with the status that shells expect.

This module imports almost no other modules, so that it can handle Ctrl+C from the start.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130


def interrupted() -> int:
    """Print that tutor was interrupted, and return the exit status."""
    os.write(2, b"tutor: interrupted.\n")
    return INTERRUPTED


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Let Ctrl+C end the process immediately inside this block, which imports modules.

    A `KeyboardInterrupt` during an import is not reliable: some modules swallow it, and others make
    C++ code abort.
    """
    with on_signals(lambda: os._exit(interrupted()), "SIGINT"):
        yield


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns True after the user has asked this process to stop.

    After the first Ctrl+C or SIGTERM, the current step can finish. A second signal raises
    `KeyboardInterrupt`.
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
    """Call `handle` when one of these signals arrives during the block.

    Names of signals that the operating system doesn't have are ignored.
    """
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, lambda *_: handle()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
