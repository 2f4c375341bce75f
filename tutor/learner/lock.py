"""Allow one writer at a time, among threads and processes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tutor import private
from tutor.learner import disk
from tutor.learner.errors import StoreBusy

POLL = 0.005
"""Seconds between two attempts; a writer holds the lock for about this long."""


@contextlib.contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock file `path`, which is beside the data, since the data file itself is replaced.

    The operating system releases the lock whenever the process ends, even by kill -9. Readers
    never take it. Raises `StoreBusy` after `timeout` seconds, `StoreReadOnly` if no lock file
    can be created, and `StoreError` for other disk errors.
    """
    from filelock import FileLock, Timeout  # takes 15 ms to import, and the first screen only reads

    with disk.failures_in_words(path, "saved"):
        private.make_folder(path.parent)
        lock = FileLock(path, timeout=timeout, mode=private.FILE, poll_interval=POLL)
        try:
            lock.acquire()
        except Timeout as error:
            raise StoreBusy(
                f"Another session of this learner has been saving for {timeout:g} seconds.",
                "Nothing is lost. Try again, or close the other session.",
            ) from error
    try:
        yield
    finally:
        lock.release()
