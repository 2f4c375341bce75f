"""The packed copies of models, as those see them who want their room back.

The first time a model file is run, its weights are packed for this machine and kept, also for a
file that is only tried (`tutor.lm.formats.packed_file`). This tells what is kept and removes it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tutor import paths
from tutor.errors import ModelError, ModelNotFound
from tutor.models.installed import bundled_model, file_size, installed_models

_LONGEST_HEADER = 100_000_000  # as in the safetensors library


class PackedCopy(msgspec.Struct, frozen=True):
    """`source` is the model file that it was made from, `name` what to call it; `size` is bytes."""

    name: str
    path: Path
    size: int
    source: str


class _Description(msgspec.Struct, frozen=True):
    """What matters here of `tutor.lm.formats.packed_file.Description`."""

    source: str = ""


class _Header(msgspec.Struct, frozen=True):
    """The beginning of a safetensors file."""

    metadata: dict[str, str] = msgspec.field(name="__metadata__", default_factory=dict)


def packed_copies() -> tuple[PackedCopy, ...]:
    """All of them, in every model folder."""
    return tuple(copy for folder in paths.model_folders() for copy in _copies_in(folder))


def remove(name: str) -> tuple[tuple[Path, int], ...]:
    """Remove what `tutor model list` calls `name`: an installed model with its packed copies, or
    the packed copies of a file that is elsewhere, which itself is left alone. Returns what was
    removed and how many bytes it had. Raises `ModelNotFound`, or `ModelError` where something
    cannot be removed."""
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
            raise ModelError(f"{bundled.name} is a part of tutor and cannot be removed.")
        raise ModelNotFound(f"There is no {name!r} to remove.", "`tutor model list` shows what is.")
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
            "Ask whoever put it there.",
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
        except (OSError, msgspec.DecodeError):  # gone just now, or damaged: it is still in the way
            source, size = "", path.stat().st_size if path.exists() else 0
        name = Path(source).stem if source else path.name
        yield PackedCopy(name, path, size, source)


def is_orphan(copy: PackedCopy) -> bool:
    """Whether the file that it was made from is not where it was."""
    return bool(copy.source) and not Path(copy.source).exists()
