"""A model ready for this machine, kept as one safetensors file.

Packing a model takes seconds, so it is done once. The file is mapped into memory, not copied:
several engines on one machine share its pages. It is written under another name and then put in
place, so it is always whole. Everything the network needs is in it, tokenizer included, and the
model file itself is not read again, but for a sample of it, as long as that, its size and its time
of change stay the same.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tutor import paths, private
from tutor.lm.fast.kernels import machine_key
from tutor.lm.network import Config

_VERSION = 2  # of the layout that the classes in `tutor.lm.fast.linear` read
_TOKENIZER = "tokenizer"
_SUFFIX = ".safetensors"
_ABANDONED = 3600.0  # seconds without a change, after which nobody writes a file any more


# What of a file is read to recognise it: pieces of so many bytes, spread evenly.
_PIECES, _PIECE = 16, 4096


class FileStamp(msgspec.Struct, frozen=True):
    """Tells whether a file is still the one whose checksum was taken, without reading all of it.
    `sample` is a checksum of a few pieces, the beginning and the end among them; a copy of the
    file with its time of change has the same stamp."""

    size: int
    modified_ns: int
    sample: str = ""

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Raises OSError."""
        digest = hashlib.blake2b(digest_size=16)
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            for piece in range(_PIECES):
                file.seek(max(0, status.st_size - _PIECE) * piece // (_PIECES - 1))
                digest.update(file.read(_PIECE))
        return cls(status.st_size, status.st_mtime_ns, digest.hexdigest())


class Description(msgspec.Struct, frozen=True):
    """What is known of a packed model besides its tensors. `sha256` and `stamp` are those of the
    model file that it was made from, `format` is that file's number format, `source` where it was
    (for people: `tutor.models.packed`)."""

    sha256: str
    stamp: FileStamp
    format: str
    config: Config
    chat_template: str | None
    version: int = _VERSION
    source: str = ""


class PackedModel(msgspec.Struct, frozen=True):
    description: Description
    tensors: Mapping[str, Tensor]
    tokenizer: bytes  # as `Tokenizer.to_json` writes it


def find_packed(
    folders: Iterable[Path], stamp: FileStamp, sha256: str | None = None
) -> PackedModel | None:
    """A packed copy, in one of the folders, of the model file with this checksum, or else with
    this stamp. One that is damaged or of another version counts as absent."""
    pattern = f"{sha256[:16] if sha256 else '*'}-{machine_key()}{_SUFFIX}"
    for folder in folders:
        for path in sorted(folder.glob(pattern)):
            packed = _read(path)
            if packed is None:
                continue
            made_from = packed.description
            if made_from.sha256 == sha256 if sha256 else made_from.stamp == stamp:
                return packed
    return None


def save_packed(folder: Path, packed: PackedModel) -> Path:
    """Write the model into `folder`, whole or not at all. Raises OSError."""
    name = f"{packed.description.sha256[:16]}-{machine_key()}{_SUFFIX}"
    text = torch.from_numpy(np.frombuffer(packed.tokenizer, dtype=np.uint8).copy())
    metadata = {"tutor": msgspec.json.encode(packed.description).decode()}
    shared = folder == paths.shared_models_folder()
    if not shared:
        private.make_folder(folder)
    _tidy_up(folder)
    handle, partial = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    os.close(handle)
    try:
        save_file({**packed.tensors, _TOKENIZER: text}, partial, metadata)
        with open(partial, "rb") as file:  # noqa: PTH123
            os.fsync(file.fileno())
        if shared:
            Path(partial).chmod(0o644)  # for others on this machine
        Path(partial).replace(folder / name)
    except SafetensorError as error:  # how the library reports a full disk
        raise OSError(str(error)) from error
    finally:
        Path(partial).unlink(missing_ok=True)
    return folder / name


def _tidy_up(folder: Path) -> None:
    """Remove what processes left behind that were killed while they wrote."""
    for left in folder.glob(f".*{_SUFFIX}.*"):
        with suppress(OSError):  # somebody else was quicker, or it is not ours
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()


def _read(path: Path) -> PackedModel | None:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            description = msgspec.json.decode(metadata.get("tutor", ""), type=Description)
            if description.version != _VERSION:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, msgspec.DecodeError):
        return None
    return PackedModel(description, tensors, tensors.pop(_TOKENIZER).numpy().tobytes())
