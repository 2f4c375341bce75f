"""Save and load named steering vectors.

A file is a MessagePack map with the vector as 32-bit floats (little-endian), the checksum of the
model, the layer, and the sentences that the vector was made from. Its content is never executed,
and it is checked when it is read, because it may come from someone else.

`tutor.lm.inspect.steering` computes the vectors. This module doesn't import torch.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from tutor import paths, private
from tutor.errors import ModelError, TextError, UsageError
from tutor.lm.distribution import ModelCard
from tutor.regular_file import read_regular

FOLDER = "steering"
"""The name of the folder for saved vectors, inside the folder of the labs."""
ENDING = ".steering"
DELETED = ".deleted"
"""The suffix that `delete` gives to a deleted file, so that `restore` can restore it."""
LARGEST = 2**20
"""The maximum size of a file, in bytes."""
MOST_SENTENCES = 40
"""The maximum number of sentences in a list."""
LONGEST = 300
"""The maximum length of a sentence, in characters."""
STRONGEST = 20.0
"""The maximum absolute value of a strength."""
LARGEST_NUMBER = 1e6
"""The maximum absolute value of a component. The numbers in residual streams are far smaller; if
they were much larger, the network would compute numbers that are not finite."""
LONGEST_MODEL = 200
"""The maximum length of a model's name or checksum, in characters."""
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

    Raises `ValueError` if the vector is not valid. When msgspec decodes a vector, it turns this
    error into a `ValidationError`, so vectors in files, documents and messages are checked too.
    """

    name: str
    model: str
    model_name: str
    layer: int
    first: tuple[str, ...]
    second: tuple[str, ...]
    values: bytes
    format: str = _FORMAT

    def __post_init__(self) -> None:
        valid = (
            self.format == _FORMAT
            and _NAME.fullmatch(self.name)
            and all(
                each.isprintable() and len(each) <= LONGEST_MODEL
                for each in (self.model, self.model_name)
            )
            and 0 <= self.layer < 10_000
            and all(map(_is_list, (self.first, self.second)))
            and len(self.values) > 0
            and len(self.values) % 4 == 0
            and all(abs(each) <= LARGEST_NUMBER for each in self.numbers)
        )
        if not valid:
            raise ValueError("not a steering vector")

    @property
    def numbers(self) -> tuple[float, ...]:
        """Return the vector's components."""
        return struct.unpack(f"<{len(self.values) // 4}f", self.values)


class Applied(msgspec.Struct, frozen=True):
    """A saved vector that is added to the residual stream, multiplied by `strength`.

    Raises `ValueError` if the strength is not a number from -`STRONGEST` to `STRONGEST`.
    """

    vector: SavedVector
    strength: float

    def __post_init__(self) -> None:
        if not abs(self.strength) <= STRONGEST:  # This is also true for NaN.
            raise ValueError("not a strength")

    @property
    def said(self) -> str:
        """Return a description: the name, the layer (counted from 1) and the strength."""
        return f"{self.vector.name}, layer {self.vector.layer + 1}, {self.strength:+g}"

    @property
    def option(self) -> str:
        """Return the value of the option `--steer` that selects this vector and strength."""
        return f"{self.vector.name}:{self.strength:g}"


def _is_list(sentences: tuple[str, ...]) -> bool:
    return 0 < len(sentences) <= MOST_SENTENCES and max(map(len, sentences)) <= LONGEST


def packed(numbers: Iterable[float]) -> bytes:
    """Return the components of a vector as little-endian 32-bit floats."""
    each = tuple(numbers)
    return struct.pack(f"<{len(each)}f", *each)


def checked_name(name: str) -> str:
    """Return `name` without surrounding spaces.

    Raises `TextError` if it can't be used as a file name.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise TextError(
            "This can't be the name of a steering vector.",
            "Use up to 40 letters, digits, spaces, '-' or '_'.",
        )
    return name


def name_is_used(name: str) -> TextError:
    """Return the error for a name that another file already has."""
    return TextError(
        f"A vector is already saved as {name!r}.",
        "Choose another name, or delete that vector first.",
    )


def folder_of_learner() -> Path:
    """Return the folder in which the `steer` lab saves vectors. Raises `NoHome`."""
    return paths.labs_folder() / FOLDER


def find(spec: str, folder: Path) -> Applied:
    """Return the vector and the strength that are given as `spec`, in the form NAME:STRENGTH.

    NAME can also be the path of a file. Raises `UsageError` if `spec` has a different form or
    if the strength is out of range, and `ModelError` if there is no such vector.
    """
    name, colon, number = spec.rpartition(":")
    try:
        strength = float(number)
    except ValueError:
        strength = math.nan
    if not (name and colon and abs(strength) <= STRONGEST):
        raise UsageError(
            f"{spec!r} is not a steering vector with a strength.",
            f"Use NAME:STRENGTH, with a strength from -{STRONGEST:g} to {STRONGEST:g}.",
        )
    path = folder / f"{name}{ENDING}" if _NAME.fullmatch(name) else Path(name)
    return Applied(read(path), strength)


def require_model(vector: SavedVector, card: ModelCard) -> None:
    """Raise `ModelError` if the vector was made with another model."""
    if vector.model != card.sha256:
        raise ModelError(
            f"The vector {vector.name!r} was made with {vector.model_name}, not with {card.name}.",
            "Use that model, or make a vector with this one in the `steer` lab.",
        )


def write(folder: Path, vector: SavedVector) -> Path:
    """Save a vector in `folder`, unless it is already saved there, and return the file's path.

    Raises `TextError` if another file has this name, and `ModelError` if the file can't be written.
    """
    path = folder / f"{checked_name(vector.name)}{ENDING}"
    try:
        if path.exists():
            with suppress(ModelError):
                if read(path) == vector:
                    return path
            raise name_is_used(vector.name)
        private.replace_file(path, msgspec.msgpack.encode(vector))
    except OSError as error:
        raise ModelError(
            f"The vector could not be saved: {error.strerror}.",
            f"Check that {folder} is writable and that the disk is not full.",
        ) from error
    return path


def read(path: Path) -> SavedVector:
    """Read a vector. Raises `ModelError` if the file is missing or is not a valid vector."""
    try:
        data = read_regular(path, LARGEST + 1)
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no steering vector with the name {path.stem}.",
            "Check the name. The `steer` lab lists the vectors that you have saved.",
        ) from error
    except OSError as error:
        raise ModelError(
            f"{path.name} could not be read: {error.strerror}.",
            "Check the name. The `steer` lab lists the vectors that you have saved.",
        ) from error
    try:
        vector = msgspec.msgpack.decode(data, type=SavedVector) if len(data) <= LARGEST else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        vector = None
    if vector is None:
        raise ModelError(
            f"{path.name} is not a steering vector.", "Save a vector in the `steer` lab first."
        )
    return vector


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
    """Delete the vector with this name, if it exists. It can be restored until the next deletion.

    Raises `TextError` if the name is invalid, and `ModelError` if the file can't be deleted.
    """
    path = folder / f"{checked_name(name)}{ENDING}"
    try:
        if path.exists():
            for older in folder.glob(f"*{DELETED}"):
                older.unlink(missing_ok=True)
            path.replace(path.with_suffix(DELETED))
    except OSError as error:
        raise ModelError(
            f"The vector could not be deleted: {error.strerror}.",
            f"Check that {folder} is writable.",
        ) from error


def restore(folder: Path, names: Collection[str]) -> None:
    """Restore the most recently deleted vector, if its name is in `names`.

    Raises `TextError` if another file now has its name, and `ModelError` if the file can't be
    restored.
    """
    try:
        for path in folder.glob(f"*{DELETED}"):
            restored = path.with_suffix(ENDING)
            if path.stem in names:
                if restored.exists():
                    raise name_is_used(path.stem)
                path.replace(restored)
    except OSError as error:
        raise ModelError(
            f"The vector could not be restored: {error.strerror}.",
            f"Check that {folder} is writable.",
        ) from error
