"""Ctrl-C: one sentence, and the exit status that shells expect. Imports next to nothing, so that it
is there before anything else can be interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
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
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(interrupted()))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
