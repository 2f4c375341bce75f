"""The path of config.toml, and the language that it sets.

The language must be known before any string is translated, so this module imports nothing that
translates strings.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import platformdirs

from tutor.regular_file import read_regular

VARIABLE = "TUTOR_CONFIG"

LARGEST = 1_000_000
"""The maximum size of config.toml, in bytes."""


def config_file(data_folder: str | None = None) -> Path:
    """Return the path of config.toml. The file may not exist.

    TUTOR_CONFIG contains the path if it is set. Otherwise, the file is in `data_folder` or
    TUTOR_DATA if one of them is set, or else in the system's folder for configuration files.
    """
    if file := os.environ.get(VARIABLE):
        return Path(file).absolute()
    if chosen := data_folder or os.environ.get("TUTOR_DATA"):
        return Path(chosen).absolute() / "config.toml"
    return platformdirs.user_config_path("tutor", appauthor=False) / "config.toml"


def language_in_file(data_folder: str | None = None) -> str:
    """Return the language code, or "" if the file does not set a language or cannot be read.

    `data_folder` is the value of `--data`, which is not in the environment yet. Only regular files
    are read, because in a login with `--kiosk`, the client may have chosen the path: reading a
    device might never end.
    """
    with suppress(OSError, RuntimeError, ValueError):
        file = config_file(data_folder)
        data = read_regular(file, LARGEST + 1)
        if len(data) > LARGEST:
            return ""
        text = data.decode("utf-8")
        import tomllib  # imported here, because it isn't needed without a file

        found = tomllib.loads(text).get("language")
        return found if isinstance(found, str) else ""
    return ""
