"""Read the name of a model's architecture from a GGUF file, without reading the rest of the file.

The format is defined in `docs/gguf.md` in the ggml repository: a file begins with "GGUF", the
version, the number of tensors and the number of metadata fields. The architecture is the first
field in every file that llama.cpp's tools write.
"""

from __future__ import annotations

import struct
from pathlib import Path

_KEY = b"general.architecture"
_STRING = 8  # the number of the type "string" in a GGUF file
_START = struct.Struct(f"<4sIQQQ{len(_KEY)}sIQ")
_LONGEST = 60


def architecture(path: Path) -> str | None:
    """Return the architecture that a GGUF file names first, such as "llama".

    Returns None if the file can't be read, or if its first field isn't the architecture.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_START.size)
            name = file.read(_LONGEST)
    except OSError:
        return None
    if len(start) < _START.size:
        return None
    magic, _, _, _, length, key, kind, size = _START.unpack(start)
    if (magic, length, key, kind) != (b"GGUF", len(_KEY), _KEY, _STRING) or size > len(name):
        return None
    return name[:size].decode("utf-8", "replace")
