"""List and remove packed copies of models.

When a model file is loaded for the first time, its weights are packed for this machine and saved,
even if the file is used only once (see `tutor.lm.formats.packed_file`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tutor import paths
from tutor.errors import ModelError, ModelNotFound
from tutor.models.installed import (
    DEFAULT,
    bundled_model,
    file_size,
    installed_models,
    package_folder,
)

_LONGEST_HEADER = 100_000_000  # the limit of the safetensors library, in bytes
_SEE_LIST = "Run `tutor model list` to see what can be removed."


class PackedCopy(msgspec.Struct, frozen=True):
    """A packed copy of the model file `source`.

    `name` is the name to display, and `size` is in bytes.
    """

    name: str
    path: Path
    size: int
    source: str


class _Description(msgspec.Struct, frozen=True):
    """The fields of `tutor.lm.formats.packed_file.Description` that this module reads."""

    source: str = ""


class _Header(msgspec.Struct, frozen=True):
    """The header of a safetensors file."""

    metadata: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


def packed_copies() -> tuple[PackedCopy, ...]:
    """Return the packed copies in all model folders."""
    return tuple(copy for folder in paths.model_folders() for copy in _copies_in(folder))


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
            f"Remove it with: pip uninstall {DEFAULT.package}.",
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
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                header = file.read(length) if length <= _LONGEST_HEADER else b""
            metadata = msgspec.json.decode(header, type=_Header).metadata
            source = msgspec.json.decode(metadata.get("tutor", "{}"), type=_Description).source
            size = path.stat().st_size
        except (
            OSError,
            msgspec.DecodeError,
        ):  # The file was removed a moment ago, or it is damaged but still takes disk space.
            source, size = "", path.stat().st_size if path.exists() else 0
        name = Path(source).stem if source else path.name
        yield PackedCopy(name, path, size, source)


def is_orphan(copy: PackedCopy) -> bool:
    """Return True if the model file that this copy was made from no longer exists."""
    return bool(copy.source) and not Path(copy.source).exists()
