"""Allow only one writer at a time, across all threads and processes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tutor import private
from tutor.learner import disk
from tutor.learner.errors import StoreBusy

POLL = 0.005
"""The number of seconds between attempts to acquire the lock.

A writer holds the lock for about this long.
"""


@contextlib.contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold a lock on the file `path` while the block runs. Readers don't need the lock.

    The lock is on a separate file next to `path`, because `path` itself is replaced. The operating
    system releases the lock when the process exits, even after kill -9.

    Raises `StoreBusy` after `timeout` seconds, `StoreReadOnly` if the lock file cannot be created,
    and `StoreError` for other disk errors.
    """
    # Importing filelock takes 15 ms, and readers don't need it.
    from filelock import FileLock, Timeout

    with disk.failures_in_words(path, "saved"):
        private.make_folder(path.parent)
        lock = FileLock(path, timeout=timeout, mode=private.FILE, poll_interval=POLL)
        try:
            lock.acquire()
        except Timeout as error:
            raise StoreBusy(
                f"Another session has been saving your progress for {timeout:g} seconds.",
                "Nothing is lost. Try again, or close the other session.",
            ) from error
    try:
        yield
    finally:
        lock.release()
