"""The path of config.toml, and the language that it sets.

The language must be known before any string is translated, so this module imports nothing that
translates strings.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import platformdirs


def config_file() -> Path:
    """Return the path of config.toml. The file may not exist.

    The file is in TUTOR_DATA if that is set, and otherwise in the system's folder for configuration
    files.
    """
    if chosen := os.environ.get("TUTOR_DATA"):
        return Path(chosen).absolute() / "config.toml"
    return platformdirs.user_config_path("tutor", appauthor=False) / "config.toml"


def language_in_file() -> str:
    """Return the language code, or "" if the file does not set a language or cannot be read."""
    with suppress(OSError, RuntimeError, ValueError):
        text = config_file().read_text(encoding="utf-8")
        import tomllib  # imported only if there is a file, which saves time if there is none

        found = tomllib.loads(text).get("language")
        return found if isinstance(found, str) else ""
    return ""
