"""List and remove packed copies of models, and limit the space that they take up.

When a model file is loaded for the first time, its weights are packed for this machine and saved,
even if the file is used only once (see `tutor.lm.formats.packed_file`). The copies are in the cache
folder, because tutor can create them again. If they take up more space than the limit, the least
recently used copies are removed.
"""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from tutor import paths, private
from tutor.errors import ModelError, ModelNotFound, NoHome, UsageError
from tutor.installation import uninstall_command
from tutor.models.installed import (
    DEFAULT,
    bundled_model,
    file_size,
    installed_models,
    package_folder,
)

_LONGEST_HEADER = 100_000_000  # the limit of the safetensors library, in bytes
LIMIT = "TUTOR_PACKED_LIMIT"
"""The environment variable for the maximum total size of the packed copies, in gigabytes."""
_USUAL_LIMIT = 10_000_000_000
_PATTERN = "*.safetensors"
_OUR_NAME = re.compile(r"[0-9a-f]{16}-[\w-]+-torch[\d.]+\.safetensors")
_SEE_LIST = "Run `tutor model list` to see what can be removed."


class PackedCopy(msgspec.Struct, frozen=True):
    """A packed copy of the model file `source`.

    `name` is the name to display, and `size` is in bytes. `used` is the time of the last use, in
    seconds since 1970.
    """

    name: str
    path: Path
    size: int
    source: str
    used: float = 0.0


class _Description(msgspec.Struct, frozen=True):
    """The fields of `tutor.lm.formats.packed_file.Description` that this module reads."""

    source: str = ""


class _Header(msgspec.Struct, frozen=True):
    """The header of a safetensors file."""

    metadata: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


def packed_copies() -> tuple[PackedCopy, ...]:
    """Return the learner's packed copies, and the copies for all users of this machine."""
    folders = [paths.shared_models_folder()]
    with suppress(NoHome):
        folders.insert(0, paths.packed_folder())
    return tuple(copy for folder in folders for copy in _copies_in(folder))


def limit() -> int:
    """Return the maximum total size of the learner's packed copies, in bytes.

    Raises `UsageError` if TUTOR_PACKED_LIMIT is not a number of gigabytes.
    """
    given = os.environ.get(LIMIT)
    if not given:
        return _USUAL_LIMIT
    try:
        gigabytes = float(given)
    except ValueError:
        gigabytes = math.nan
    if not 0 <= gigabytes < math.inf:
        raise UsageError(f"{LIMIT} is {given!r}.", "Set it to a number of gigabytes, such as 5.")
    return int(gigabytes * 1e9)


def prune(most: int | None = None, *, keep: Path | None = None) -> tuple[tuple[Path, int], ...]:
    """Remove the learner's packed copies until their total size is at most `most` bytes.

    By default, `most` is `limit()`. Copies of model files that no longer exist are removed first,
    and then the least recently used copies. The copy `keep` is never removed. Returns the paths
    that were removed, with their sizes.
    """
    most = limit() if most is None else most
    copies = sorted(
        _copies_in(paths.packed_folder()), key=lambda copy: (not is_orphan(copy), copy.used)
    )
    above = sum(copy.size for copy in copies) - most
    removed: list[tuple[Path, int]] = []
    for copy in copies:
        if copy.path != keep and above > 0:
            removed += _removed_copy(copy)
            above -= copy.size
    return tuple(removed)


def remove_orphans() -> tuple[tuple[Path, int], ...]:
    """Remove the learner's packed copies of model files that no longer exist.

    Returns the removed paths with their sizes.
    """
    orphans = filter(is_orphan, tuple(_copies_in(paths.packed_folder())))
    return tuple(removed for copy in orphans for removed in _removed_copy(copy))


def _removed_copy(copy: PackedCopy) -> list[tuple[Path, int]]:
    try:
        copy.path.unlink()
    except OSError:  # another process removed it first, or has it open on Windows
        return []
    return [(copy.path, copy.size)]


def move_old_copies() -> None:
    """Move packed copies from the models folder, where older versions stored them, to the cache.

    Only files whose name and contents show that tutor made them are moved. If a file cannot be
    moved, it stays in the models folder.
    """
    with suppress(NoHome, OSError):
        old, new = paths.user_models_folder(), paths.packed_folder()
        if old.is_symlink():  # the folder belongs to another installation
            return
        for path in filter(_is_ours, sorted(old.glob(_PATTERN))):
            private.make_folder(new)
            if (new / path.name).exists():
                path.unlink()
            else:
                shutil.move(path, new / path.name)


def _is_ours(path: Path) -> bool:
    """Return True if tutor, and not another program, created this safetensors file."""
    named = _OUR_NAME.fullmatch(path.name) is not None
    return named and not path.is_symlink() and "tutor" in _metadata(path)


def require_space(folder: Path, size: int) -> None:
    """Raise `OSError` if the disk of `folder` does not have `size` free bytes."""
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if shutil.disk_usage(nearest).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def in_bytes(size: int) -> str:
    """Format a size, such as "92 MB" or "2.5 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def short_path(path: Path) -> str:
    """Format a path, with `~` for the home folder."""
    home = os.path.expanduser("~")  # noqa: PTH111
    return str(path).replace(home, "~", 1) if path.is_relative_to(home) else str(path)


def remove(name: str) -> tuple[tuple[Path, int], ...]:
    """Remove a model, by its name in `tutor model list`, along with its packed copies.

    If the model file is outside the model folders, only its packed copies are removed. Returns the
    removed paths with their sizes in bytes. Raises `ModelNotFound`, or `ModelError` if a file
    cannot be removed.
    """
    wanted = name.casefold()
    models = [
        model
        for model in installed_models()
        if not model.bundled and wanted in (model.name.casefold(), model.path.name.casefold())
    ]
    sources = {str(model.path) for model in models}
    copies = [
        copy
        for copy in packed_copies()
        if wanted in (copy.name.casefold(), copy.path.name.casefold()) or copy.source in sources
    ]
    if not models and not copies:
        bundled = bundled_model()
        if bundled is not None and bundled.name.casefold() == wanted:
            raise ModelError(f"{bundled.name} is part of tutor and cannot be removed.")
        raise ModelNotFound(f"There is no model {name!r} to remove.", _SEE_LIST)
    if any(model.path.parent == package_folder() for model in models):
        raise ModelError(
            f"{models[0].name} is part of the Python package {DEFAULT.package}.",
            f"Remove it with: {uninstall_command(DEFAULT.package)}.",
        )
    return tuple(_removed(model.path, file_size(model)) for model in models) + tuple(
        _removed(copy.path, copy.size) for copy in copies
    )


def _removed(path: Path, size: int) -> tuple[Path, int]:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be removed: {error.strerror or error}.",
            "Ask the administrator of this machine to remove it.",
        ) from error
    return path, size


def _copies_in(folder: Path) -> Iterator[PackedCopy]:
    for path in sorted(folder.glob(_PATTERN)):
        try:
            status = path.stat()
        except OSError:  # the file was removed a moment ago
            continue
        source = ""
        with suppress(msgspec.DecodeError):
            text = _metadata(path).get("tutor", "{}")
            source = msgspec.json.decode(text, type=_Description).source
        name = Path(source).stem if source else path.name
        yield PackedCopy(name, path, status.st_size, source, status.st_mtime)


def _metadata(path: Path) -> dict[str, str]:
    """Return the metadata in a safetensors file, which is empty if the file is damaged."""
    with suppress(OSError, ValueError), path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= _LONGEST_HEADER else b""
        return msgspec.json.decode(header, type=_Header).metadata
    return {}


def is_orphan(copy: PackedCopy) -> bool:
    """Return True if the model file that this copy was made from no longer exists."""
    return bool(copy.source) and not Path(copy.source).exists()
