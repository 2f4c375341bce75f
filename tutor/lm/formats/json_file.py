"""Read the JSON files in a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tutor.errors import ModelDamaged


def read_text(path: Path) -> str:
    """Return the contents of a UTF-8 file. Raises `ModelDamaged` if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
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
