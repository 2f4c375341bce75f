"""The disk with a learner's folder: a small separate disk, if this machine allows that.

If mounting is allowed, the folder is on a tmpfs of a few megabytes in a separate mount namespace,
so other processes don't see it. This disk really fills up and is really remounted read-only. On
other machines, a limit on the size of files replaces the full disk, and permissions replace the
read-only disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

NAMESPACES = (
    ("unshare", "--user", "--map-root-user", "--mount"),
    ("unshare", "--mount"),  # root in a container without user namespaces
)
MEGABYTES = 4


def namespace() -> tuple[str, ...] | None:
    """Return a command that runs another command where it can mount, or None."""
    if shutil.which("unshare") is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        for command in NAMESPACES:
            mount = [*command, "mount", "-t", "tmpfs", "tmpfs", place]
            if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
                return command
    return None


class Disk(ABC):
    """A disk with the folder `place`."""

    full_means: str
    read_only_means: str

    def __init__(self, place: Path) -> None:
        self.place = place

    @property
    def can_be_read_only(self) -> bool:
        return True

    @abstractmethod
    def fill(self) -> None:
        """Fill the disk completely. Do nothing if each session must simulate a full disk itself."""

    @abstractmethod
    def empty(self) -> None: ...

    @abstractmethod
    def read_only(self, between: Callable[[], None]) -> None:
        """Make the disk read-only.

        The system refuses while a file is being written. Then the method tries again, and calls
        `between` between two attempts.
        """

    @abstractmethod
    def writable(self) -> None: ...

    def close(self) -> None:
        shutil.rmtree(self.place)


class SmallDisk(Disk):
    full_means = f"a tmpfs of {MEGABYTES} MB without a byte left"
    read_only_means = "a tmpfs remounted read-only while both sessions save"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", place], check=True
        )
        self._filler = place / "filler"

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as file:
            for size in (65_536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)

    def read_only(self, between: Callable[[], None]) -> None:
        while subprocess.run(
            ["mount", "-o", "remount,ro", self.place], capture_output=True, check=False
        ).returncode:
            between()

    def writable(self) -> None:
        subprocess.run(["mount", "-o", "remount,rw", self.place], check=True)

    def close(self) -> None:
        subprocess.run(
            ["umount", "--lazy", self.place], check=True
        )  # an engine may still be exiting
        super().close()


class OrdinaryDisk(Disk):
    full_means = "a limit to the size of files (RLIMIT_FSIZE): nothing could be mounted"

    @property
    def read_only_means(self) -> str:  # type: ignore[override]
        if not self.can_be_read_only:
            return "skipped: nothing could be mounted, and permissions do not stop root"
        return "permissions: nothing could be mounted"

    @property
    def can_be_read_only(self) -> bool:
        return os.getuid() != 0

    def fill(self) -> None:
        pass

    def empty(self) -> None:
        pass

    def read_only(self, between: Callable[[], None]) -> None:
        self._set_modes(0o500, 0o400)

    def writable(self) -> None:
        self._set_modes(0o700, 0o600)

    def _set_modes(self, folder: int, file: int) -> None:
        for path in (self.place, *self.place.rglob("*")):
            path.chmod(folder if path.is_dir() else file)
