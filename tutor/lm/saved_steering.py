"""Save steering vectors by name, and read them.

A file is a MessagePack map with the vector as 32-bit floats (little-endian), the checksum of the
model, the layer, and the sentences that the vector was made from. Its content is never executed,
and it is checked when it is read, because it may come from someone else.

`tutor.lm.inspect.steering` computes the vectors. This module doesn't import torch.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from tutor import paths, private
from tutor.errors import ModelError, TextError, UsageError
from tutor.lm.distribution import ModelCard

FOLDER = "steering"
"""The folder of saved vectors, within the folder of the labs."""
ENDING = ".steering"
LARGEST = 2**20
"""The maximum size of a file, in bytes."""
STRONGEST = 20.0
"""The maximum absolute value of a strength."""
_FORMAT = "tutor steering vector 1"
_NAME = re.compile(r"\w[\w -]{0,38}\w|\w")


class SavedVector(msgspec.Struct, frozen=True, kw_only=True):
    """A steering vector in a file.

    Attributes:
        name: The name that the learner chose.
        model: The checksum of the model that the vector was made with.
        model_name: The name of that model.
        layer: The block after which the vector is added, counted from 0.
        first: The sentences toward which the vector steers.
        second: The sentences away from which it steers.
        values: The vector, as little-endian 32-bit floats.
    """

    name: str
    model: str
    model_name: str
    layer: int
    first: tuple[str, ...]
    second: tuple[str, ...]
    values: bytes
    format: str = _FORMAT

    @property
    def numbers(self) -> tuple[float, ...]:
        """Return the vector's components."""
        return struct.unpack(f"<{len(self.values) // 4}f", self.values)


class Applied(msgspec.Struct, frozen=True):
    """A saved vector that is added to the residual stream, multiplied by `strength`."""

    vector: SavedVector
    strength: float

    @property
    def said(self) -> str:
        """The name, the layer (counted from 1) and the strength."""
        return f"{self.vector.name}, layer {self.vector.layer + 1}, {self.strength:+g}"

    @property
    def option(self) -> str:
        """The value of the option `--steer`."""
        return f"{self.vector.name}:{self.strength:g}"


def packed(numbers: Iterable[float]) -> bytes:
    """Return the components of a vector as little-endian 32-bit floats."""
    each = tuple(numbers)
    return struct.pack(f"<{len(each)}f", *each)


def checked_name(name: str) -> str:
    """Return `name` without surrounding spaces. Raises `TextError` if it can't be a file's name."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise TextError(
            "This can't be the name of a steering vector.",
            "Use up to 40 letters, digits, spaces, '-' or '_'.",
        )
    return name


def folder_of_learner() -> Path:
    """Return the folder in which the lab `steer` saves vectors. Raises `NoHome`."""
    return paths.labs_folder() / FOLDER


def find(spec: str, folder: Path) -> Applied:
    """Return the vector and the strength that `spec` names, as NAME:STRENGTH.

    NAME can also be the path of a file. Raises `UsageError` if `spec` has another form or if the
    strength is out of range, and `ModelError` if there is no such vector.
    """
    name, colon, number = spec.rpartition(":")
    try:
        strength = float(number)
    except ValueError:
        strength = math.nan
    if not (name and colon and abs(strength) <= STRONGEST):
        raise UsageError(
            f"{spec!r} does not name a steering vector and a strength.",
            f"Use NAME:STRENGTH, with a strength from -{STRONGEST:g} to {STRONGEST:g}.",
        )
    path = folder / f"{name}{ENDING}" if _NAME.fullmatch(name) else Path(name)
    return Applied(read(path), strength)


def require_model(vector: SavedVector, card: ModelCard) -> None:
    """Raise `ModelError` if the vector was made with another model."""
    if vector.model != card.sha256:
        raise ModelError(
            f"The vector {vector.name!r} was made with {vector.model_name}, not with {card.name}.",
            "Use that model, or make a vector with this one in the lab `steer`.",
        )


def write(folder: Path, vector: SavedVector) -> Path:
    """Save a vector in `folder`, replacing the vector with the same name. Returns the file's path.

    Raises `TextError` if the name is invalid, and `ModelError` if the file can't be written.
    """
    path = folder / f"{checked_name(vector.name)}{ENDING}"
    try:
        private.replace_file(path, msgspec.msgpack.encode(vector))
    except OSError as error:
        raise ModelError(
            f"The vector could not be saved: {error.strerror}.", f"Check {folder}."
        ) from error
    return path


def read(path: Path) -> SavedVector:
    """Read a vector. Raises `ModelError` if the file is missing or is not a valid vector."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise ModelError(
            f"{path.name} could not be read: {error.strerror}.",
            "Check the name. The lab `steer` lists the vectors that you have saved.",
        ) from error
    try:
        vector = msgspec.msgpack.decode(data, type=SavedVector) if len(data) <= LARGEST else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        vector = None
    if vector is None or not valid(vector):
        raise ModelError(
            f"{path.name} is not a steering vector.", "Save a vector in the lab `steer` first."
        )
    return vector


def valid(vector: SavedVector) -> bool:
    """Return True if a vector that was read from a file can be used."""
    return (
        vector.format == _FORMAT
        and bool(_NAME.fullmatch(vector.name))
        and 0 <= vector.layer < 10_000
        and len(vector.values) > 0
        and len(vector.values) % 4 == 0
        and all(map(math.isfinite, vector.numbers))
    )


def saved(folder: Path) -> tuple[SavedVector, ...]:
    """Return the valid vectors in `folder`, sorted by name."""
    found = []
    with suppress(OSError):
        for path in sorted(folder.glob(f"*{ENDING}")):
            with suppress(ModelError):
                vector = read(path)
                if vector.name == path.name.removesuffix(ENDING):
                    found.append(vector)
    return tuple(found)


def delete(folder: Path, name: str) -> None:
    """Delete the vector with this name, if it exists.

    Raises `TextError` if the name is invalid, and `ModelError` if the file can't be deleted.
    """
    path = folder / f"{checked_name(name)}{ENDING}"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"The vector could not be deleted: {error.strerror}.", f"Check {folder}."
        ) from error
