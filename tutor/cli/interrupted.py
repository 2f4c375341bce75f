"""Ctrl-C: one sentence, and the exit status that shells expect. Imports next to nothing, so that it
is there before anything else can be interrupted."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130


def interrupted() -> int:
    """Says that it was understood; the exit status."""
    os.write(2, b"tutor: interrupted.\n")
    return INTERRUPTED


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Ctrl-C ends the process while something is imported. As an exception it would come up
    anywhere in there: where it is swallowed, or where C++ aborts."""
    with on_signals(lambda: os._exit(interrupted()), "SIGINT"):
        yield


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C was pressed, or this process was told to end: what
    is at hand is finished first. A second time it is left at once."""
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
    """Call `handle` at any of these signals, those of them that the system has, until the block
    ends."""
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, lambda *_: handle()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
