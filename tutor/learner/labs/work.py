"""Store a learner's work in labs, such as the learner's own texts, with one file for each lab."""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from tutor.errors import StoreError
from tutor.learner import disk
from tutor.learner.lock import locked
from tutor.learner.untrusted_files import read_untrusted

LARGEST = 2_000_000
"""The maximum size of a lab's file in bytes."""


class LabWork:
    """The files with a learner's work, in `folder`. The saving thread writes them.

    If two sessions save their work in the same lab, the last one to save wins. Each save replaces
    the whole file, so a file never mixes the work of two sessions.
    """

    def __init__(
        self,
        folder: Path,
        put: Callable[[Callable[[], None], object], Future[None]],
        timeout: float = 5.0,
    ) -> None:
        self._folder = folder
        self._put = put
        self._timeout = timeout

    def read(self, lab: str) -> bytes:
        """Return the learner's saved work in a lab, or b"" if it is missing or unreadable."""
        try:
            return read_untrusted(self._path(lab), LARGEST)
        except StoreError:
            return b""

    def save(self, lab: str, work: bytes) -> Future[None]:
        """Save the work of a lab. If `work` is empty, delete the file.

        Raises `StoreError` immediately if the work is too large to save.
        """
        if len(work) > LARGEST:
            raise StoreError(
                f"Your work in this lab is too large to save ({len(work):,} bytes).",
                "Shorten your texts. You can keep working on them until you quit.",
            )
        return self._put(lambda: self._write(lab, work), ("lab", lab))

    def _write(self, lab: str, work: bytes) -> None:
        path = self._path(lab)
        with locked(self._folder / "lock", self._timeout), disk.failures_in_words(path, "saved"):
            if work:
                disk.replace(path, work)
            else:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()

    def _path(self, lab: str) -> Path:
        return self._folder / f"{lab}.json"
