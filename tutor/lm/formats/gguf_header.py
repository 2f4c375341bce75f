"""Parse the header of an untrusted GGUF file.

The header contains counts: the number of metadata fields, of tensors, and of items in an array.
Each count is a 64-bit number that the author of the file chose. This module uses a count only after
checking that the remaining bytes of the file are enough for that many items, so the time and memory
for parsing are limited by the size of the file. (The reader in the `gguf` package trusts counts: a
single field that claims to have 2^60 items keeps it busy forever.) The layout is defined in the
GGUF specification, `docs/gguf.md` in the ggml repository.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.text import one_line, safe

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VERSIONS = (2, 3)
_SCALARS = dict(enumerate("BbHhIif?", start=0)) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_LEAST_FIELD = 8 + 4 + 1  # bytes in the smallest field: length of the name, type, value
_LEAST_TENSOR = 8 + 4 + 8 + 4 + 8
_MOST_DIMENSIONS = 4
_HIGHEST_TYPE = 255
"""The highest type number that a future version of ggml may plausibly define. A file with a higher
type number is damaged."""
_LONGEST_NAME = 65_535
"""The maximum length of a name in bytes. The GGUF specification sets this limit for keys."""
_SHOWN = 80
"""The maximum number of characters of a name in an error message."""


class TensorInfo(NamedTuple):
    """A tensor in the file: `size` bytes, starting at byte `start`.

    `shape` has the order that GGUF uses: the length of a row comes first.
    """

    name: str
    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    start: int
    size: int

    def rows(self, data: memoryview) -> NDArray[np.uint8]:
        """Return the tensor as an array of bytes. The last axis runs over the bytes of a row.

        `data` contains the bytes of the whole file.
        """
        flat = np.frombuffer(data, np.uint8, self.size, self.start)
        return flat.reshape(*reversed(self.shape[1:]), -1)


class Fields(Mapping[str, Any]):
    """The metadata: a mapping from keys to numbers, strings, and lists of numbers or strings.

    A value is decoded only when it is accessed, so unused values take no memory. Access to a string
    that is not UTF-8 raises `ModelDamaged`.
    """

    def __init__(self, readers: Mapping[str, Callable[[], Any]]) -> None:
        self._readers = readers

    def __getitem__(self, key: str) -> Any:
        return self._readers[key]()

    def __contains__(self, key: object) -> bool:
        return key in self._readers

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def whole_number(self, key: str, default: int | None = None) -> int:
        """Return the integer in a field, or `default` if the field is missing.

        Raises `ModelDamaged` if the field has a different type, or if it is missing and there is no
        default.
        """
        return int(self._of_type(key, (int,), "whole number", default))

    def number(self, key: str, default: float | None = None) -> float:
        """Return the number in a field, or `default` if the field is missing.

        Raises `ModelDamaged` as `whole_number` does.
        """
        return float(self._of_type(key, (int, float), "number", default))

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string in a field, or `default` if the field is missing.

        Raises `ModelDamaged` as `whole_number` does.
        """
        return str(self._of_type(key, (str,), "string", default))

    def _of_type(self, key: str, kinds: tuple[type, ...], type_name: str, default: Any) -> Any:
        if key not in self:
            if default is None:
                raise ModelDamaged(f"the field {key} is missing.")
            return default
        value = self[key]
        if type(value) not in kinds:
            raise ModelDamaged(f"the field {one_line(key, _SHOWN)} is not a {type_name}.")
        return value


def read_header(data: memoryview) -> tuple[Fields, dict[str, TensorInfo]]:
    """Return the metadata and the tensors of a file, given its (memory-mapped) bytes.

    Raises `ModelUnsupported` for an unknown version of the format, and `ModelDamaged` if a field or
    tensor is faulty. The error names that field or tensor.
    """
    cursor = _Cursor(data)
    if cursor.take("4s", "the signature") != b"GGUF":
        raise ModelDamaged("this is not a GGUF file.")
    if (version := cursor.take("I", "the version")) not in _VERSIONS:
        raise ModelUnsupported(
            f"version {version} of the format is not supported.", "Use a file of version 2 or 3."
        )
    tensors = cursor.count("the number of tensors", _LEAST_TENSOR)
    fields = cursor.count("the number of fields", _LEAST_FIELD)
    readers: dict[str, Callable[[], Any]] = {}
    for number in range(fields):
        key = cursor.name(f"the name of field {number + 1}")
        if key in readers:
            raise ModelDamaged(f"there are two fields named {one_line(key, _SHOWN)}.")
        readers[key] = _value(cursor, f"the field {one_line(key, _SHOWN)}")
    found = Fields(readers)
    infos = [_tensor_info(cursor, f"tensor {number + 1}") for number in range(tensors)]
    return found, _checked(infos, _data_start(cursor, found), len(data))


class _Cursor:
    """A read position in the bytes of a file.

    The methods raise `ModelDamaged` if they would read beyond the end. Their argument `what` names
    the value in the error message.
    """

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str, what: str) -> Any:
        """Read one number or a few bytes, in a format of the `struct` module."""
        start = self.skip(struct.calcsize(f"<{form}"), what)
        return struct.unpack_from(f"<{form}", self.data, start)[0]

    def skip(self, size: int, what: str) -> int:
        """Skip `size` bytes, and return the position of the first byte that was skipped."""
        start, left = self.at, len(self.data) - self.at
        if size > left:
            raise ModelDamaged(
                f"{what} takes {size:,} bytes, but the file ends after {left:,} more bytes."
            )
        self.at += size
        return start

    def count(self, what: str, least: int) -> int:
        """Read a count of items, and check that the rest of the file can hold that many.

        Each item takes at least `least` bytes.
        """
        number = int(self.take("Q", what))
        left = len(self.data) - self.at
        if number * least > left:
            raise ModelDamaged(
                f"{what} is {number:,}, but the file ends after {left:,} more bytes."
            )
        return number

    def name(self, what: str) -> str:
        """Read a name: its length, then its characters in UTF-8."""
        length = self.count(f"the length of {what}", 1)
        if length > _LONGEST_NAME:
            raise ModelDamaged(f"{what} is too long: it is {length:,} bytes long.")
        return safe(_text(self.data, self.skip(length, what), length, what))


def _value(cursor: _Cursor, what: str) -> Callable[[], Any]:
    """Skip a value and its type, and return a function that decodes the value later."""
    kind = cursor.take("I", f"the type of {what}")
    if kind == _STRING:
        length = cursor.count(f"the length of {what}", 1)
        return partial(_text, cursor.data, cursor.skip(length, what), length, what)
    if kind == _ARRAY:
        return _array(cursor, what)
    if kind not in _SCALARS:
        raise ModelDamaged(f"{what} has the unknown type {kind}.")
    start = cursor.skip(struct.calcsize(f"<{_SCALARS[kind]}"), what)
    return lambda: struct.unpack_from(f"<{_SCALARS[kind]}", cursor.data, start)[0]


def _array(cursor: _Cursor, what: str) -> Callable[[], Any]:
    kind = cursor.take("I", f"the type of {what}")
    length_of = f"the number of items of {what}"
    if kind == _STRING:
        count, start = cursor.count(length_of, 8), cursor.at
        for _ in range(count):
            cursor.skip(cursor.count(f"the length of an item of {what}", 1), what)
        return partial(_texts, cursor.data, start, count, what)
    if kind not in _SCALARS:  # no model uses arrays of arrays
        raise ModelDamaged(f"{what} has items of the unknown type {kind}.")
    form = np.dtype(_SCALARS[kind]).newbyteorder("<")
    count = cursor.count(length_of, form.itemsize)
    start = cursor.skip(count * form.itemsize, what)
    end = cursor.at
    return lambda: np.frombuffer(cursor.data[start:end], form).tolist()


def _text(data: memoryview, start: int, length: int, what: str) -> str:
    try:
        return str(data[start : start + length], "utf-8")
    except UnicodeDecodeError as error:
        raise ModelDamaged(f"{what} is not UTF-8.") from error


def _texts(data: memoryview, start: int, count: int, what: str) -> list[str]:
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", data, start)
        found.append(_text(data, start + 8, length, what))
        start += 8 + length
    return found


def _tensor_info(cursor: _Cursor, what: str) -> TensorInfo:
    """Parse the description of a tensor; `start` is relative to the start of the tensor data."""
    name = cursor.name(f"the name of {what}")
    what = f"the tensor {one_line(name, _SHOWN)}"
    dimensions = cursor.take("I", f"the number of dimensions of {what}")
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise ModelDamaged(
            f"{what} has {dimensions:,} dimensions instead of 1 to {_MOST_DIMENSIONS}."
        )
    shape = tuple(cursor.take("Q", f"the shape of {what}") for _ in range(dimensions))
    number = cursor.take("I", f"the type of {what}")
    try:
        kind = GGMLQuantizationType(number)
        block, bytes_of_block = GGML_QUANT_SIZES[kind]
    except (ValueError, KeyError) as error:
        if number > _HIGHEST_TYPE:
            raise ModelDamaged(f"{what} has the unknown type {number}.") from error
        raise ModelUnsupported(
            f"{what} has the number format {number}, which the installed gguf package does not "
            "know.",
            "Update tutor and the gguf package, or use a file in Q4_K_M, Q8_0 or BF16.",
        ) from error
    if 0 in shape or shape[0] % block:
        raise ModelDamaged(f"{what} cannot have the shape {_times(shape)} in {kind.name}.")
    size = math.prod(shape) // block * bytes_of_block
    return TensorInfo(name, kind, shape, cursor.take("Q", f"the position of {what}"), size)


def _data_start(cursor: _Cursor, fields: Fields) -> int:
    alignment = fields.whole_number("general.alignment", 32)
    if alignment < 1 or alignment & (alignment - 1):
        raise ModelDamaged(
            f"the field general.alignment is {alignment:,}, which is not a power of two."
        )
    return -(-cursor.at // alignment) * alignment


def _checked(infos: list[TensorInfo], begin: int, end: int) -> dict[str, TensorInfo]:
    """Return the tensors by name, and check that each lies within the file."""
    found: dict[str, TensorInfo] = {}
    for info in infos:
        start = begin + info.start
        if start + info.size > end:
            raise ModelDamaged(
                f"the tensor {one_line(info.name, _SHOWN)} ({_times(info.shape)}) takes "
                f"{info.size:,} bytes from byte {start:,}, but the file ends at {end:,}."
            )
        if info.name in found:
            raise ModelDamaged(f"there are two tensors named {one_line(info.name, _SHOWN)}.")
        found[info.name] = info._replace(start=start)
    return found


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)
