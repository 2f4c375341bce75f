"""Read the JSON files in a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tutor.errors import ModelDamaged
from tutor.regular_file import read_regular

_LARGEST = 200_000_000
"""The maximum size of a file in bytes. The `tokenizer.json` of Gemma 3 has 33 MB."""


def read_text(path: Path) -> str:
    """Return the contents of a UTF-8 file.

    Raises `ModelDamaged` if the file cannot be read, is not a regular file, or is far too large.
    """
    try:
        data = read_regular(path, _LARGEST + 1)
        if len(data) > _LARGEST:
            raise ModelDamaged(f"{path.name} is larger than {_LARGEST:,} bytes.", _AGAIN)
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelDamaged(
            f"{path.name} is damaged: byte {error.start:,} is not valid UTF-8.", _AGAIN
        ) from error
    except OSError as error:
        raise ModelDamaged(f"{path.name} cannot be read: {error.strerror}.") from error


def read_json(path: Path) -> Any:
    """Return the value in a JSON file. Raises `ModelDamaged` if it is not valid JSON."""
    try:
        return msgspec.json.decode(read_text(path))
    except (msgspec.DecodeError, RecursionError) as error:
        raise ModelDamaged(f"{path.name} is damaged: {error}.", _AGAIN) from error


_AGAIN = "Download this file again, or use another model."
