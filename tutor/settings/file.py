"""Find config.toml, and read the language that it sets.

This imports nothing that translates a string: the language must be known before.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import platformdirs


def config_file() -> Path:
    """Return the path of config.toml, which need not exist.

    It is in the folder that the system has for configuration, or in TUTOR_DATA if that is set.
    """
    if chosen := os.environ.get("TUTOR_DATA"):
        return Path(chosen).absolute() / "config.toml"
    return platformdirs.user_config_path("tutor", appauthor=False) / "config.toml"


def language_in_file() -> str:
    """Return the code of the language, or "" if the file sets none or cannot be read."""
    with suppress(OSError, RuntimeError, ValueError):
        text = config_file().read_text(encoding="utf-8")
        import tomllib  # only if there is a file, because tutor starts faster without it

        found = tomllib.loads(text).get("language")
        return found if isinstance(found, str) else ""
    return ""
