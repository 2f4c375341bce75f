"""Store a model's packed weights for this machine in one safetensors file.

Packing a model takes seconds, so the result is saved. The packed file contains everything that the
network needs, including the tokenizer. It is memory-mapped, so all engines on a machine share its
pages. It is written under a temporary name and then renamed, so it is always complete. The original
model files are not read again as long as their sizes, their modification times and samples of their
contents stay the same.

The tensors are written one by one while the model is converted (`tensor_file`), so packing never
needs memory for the whole model.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tutor import paths, private
from tutor.lm.fast.kernels import machine_key
from tutor.lm.formats.source import products, vectors
from tutor.lm.formats.tensor_file import FILLER, write_tensors
from tutor.lm.network import Config

_VERSION = 2  # the version of the tensor layout of `tutor.lm.fast.linear`
_TOKENIZER = "tokenizer"
_SUFFIX = ".safetensors"
_ABANDONED = 3600.0  # seconds; partial files that have not changed for longer are deleted


# The number of evenly spaced chunks that are read to identify a file, and the number of bytes in
# each chunk.
_CHUNKS, _CHUNK = 16, 4096


class FileStamp(msgspec.Struct, frozen=True):
    """A fingerprint that shows whether a file has changed, without reading the whole file.

    `sample` is a checksum of a few chunks, including the first and the last. A copy of the file
    with the same modification time has the same stamp.
    """

    size: int
    modified_ns: int
    sample: str = ""

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Compute the fingerprint of a file. Raises `OSError` if the file cannot be read."""
        digest = hashlib.blake2b(digest_size=16)
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            for chunk in range(_CHUNKS):
                file.seek(max(0, status.st_size - _CHUNK) * chunk // (_CHUNKS - 1))
                digest.update(file.read(_CHUNK))
        return cls(status.st_size, status.st_mtime_ns, digest.hexdigest())

    @classmethod
    def of_all(cls, files: Iterable[Path]) -> FileStamp:
        """Compute one fingerprint for several files. Raises `OSError` if a file cannot be read."""
        stamps = {path.name: cls.of(path) for path in files}
        sample = hashlib.blake2b(msgspec.json.encode(stamps, order="sorted"), digest_size=16)
        return cls(
            sum(stamp.size for stamp in stamps.values()),
            max(stamp.modified_ns for stamp in stamps.values()),
            sample.hexdigest(),
        )


class Description(msgspec.Struct, frozen=True):
    """The metadata of a packed model.

    `sha256`, `stamp` and `format` describe the original model file, and `source` is the path of
    that file (only for display; see `tutor.models.packed`).
    """

    sha256: str
    stamp: FileStamp
    format: str
    config: Config
    chat_template: str | None
    source: str = ""
    version: int = _VERSION


class PackedModel(msgspec.Struct, frozen=True):
    """A packed model: metadata, tensors and tokenizer."""

    description: Description
    tensors: Mapping[str, Tensor]
    tokenizer: bytes  # the result of `Tokenizer.to_json`


def find_packed(
    folders: Iterable[Path], stamp: FileStamp, sha256: str | None = None
) -> PackedModel | None:
    """Return a packed copy of a model file from one of the folders, or None if there is none.

    If `sha256` is given, the copy must have been made from a file with this checksum. Otherwise, it
    must have been made from a file with this stamp (size, time and a hash of a few parts). Copies
    that are damaged or have a different layout version are ignored. The modification time of the
    returned copy is set to the current time, so it shows when the copy was last used.
    """
    pattern = f"{sha256[:16] if sha256 else '*'}-{machine_key()}{_SUFFIX}"
    for folder in folders:
        for path in sorted(folder.glob(pattern)):
            packed = read_packed(path)
            if packed is None:
                continue
            made_from = packed.description
            if made_from.sha256 == sha256 if sha256 else made_from.stamp == stamp:
                with suppress(OSError):  # another user's copy
                    os.utime(path)
                return packed
    return None


def save_packed(
    folder: Path,
    identity: str,
    description: Description,
    tokenizer: bytes,
    tensors: Iterable[tuple[str, Tensor]],
) -> Path:
    """Save a packed model as a file in `folder`, and return the file's path.

    `identity` is a checksum of the model, which is part of the name of the file. `tensors` are
    written one by one. If saving fails, this leaves no file behind and raises `OSError`.
    """
    name = f"{identity[:16]}-{machine_key()}{_SUFFIX}"
    text = torch.from_numpy(np.frombuffer(tokenizer, dtype=np.uint8).copy())
    metadata = {"tutor": msgspec.json.encode(description).decode()}
    shared = folder == paths.shared_models_folder()
    if not shared:
        private.make_folder(folder)
    _tidy_up(folder)
    handle, partial = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            every = chain(tensors, [(_TOKENIZER, text)])
            write_tensors(file, every, metadata, _most_tensors(description.config))
            file.flush()
            os.fsync(file.fileno())
        if shared:
            Path(partial).chmod(0o644)  # readable by the other users of this machine
        Path(partial).replace(folder / name)
    finally:
        Path(partial).unlink(missing_ok=True)
    return folder / name


def _most_tensors(config: Config) -> int:
    """Return the maximum number of tensors in a packed file. A matrix has up to two tensors."""
    block = 2 * len(products(config)) + len(vectors(config))
    return 10 + config.layers * block


def _tidy_up(folder: Path) -> None:
    """Remove incomplete files left by processes that were killed while saving a model."""
    for partial in folder.glob(f".*{_SUFFIX}.*"):
        with suppress(OSError):  # Another process removed the file first, or another user owns it.
            if time.time() - partial.stat().st_mtime > _ABANDONED:
                partial.unlink()


def read_packed(path: Path) -> PackedModel | None:
    """Return the packed model in a file, or None if it is damaged or has a different version."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            description = msgspec.json.decode(metadata.get("tutor", ""), type=Description)
            if description.version != _VERSION:
                return None
            names = [name for name in file.keys() if not name.startswith(FILLER)]  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, msgspec.DecodeError):
        return None
    return PackedModel(description, tensors, tensors.pop(_TOKENIZER).numpy().tobytes())
