"""Change one setting in config.toml without touching the rest of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutor import private
from tutor.language import _
from tutor.regular_file import read_regular
from tutor.settings.catalogue import Value
from tutor.settings.file import LARGEST, config_file
from tutor.settings.schema import SettingsError


def write(name: str, value: Value | None, file: Path | None = None) -> None:
    """Write a value to the settings file, or remove the setting if `value` is None.

    Comments and the order of the lines are preserved. The file is either replaced completely or not
    changed. Raises `SettingsError` if it cannot be written.
    """
    file = file or config_file()
    if not file.is_absolute():
        raise SettingsError(
            _("This account has no home folder."),
            _("Set TUTOR_DATA to a folder that you can write to."),
        )
    # If the path is a symbolic link, the link is kept and its target is replaced.
    file = file.resolve()
    try:
        data = read_regular(file, LARGEST + 1) if file.exists() else b""
        if len(data) > LARGEST:
            raise SettingsError(
                _("{file} is larger than 1 MB, so it was not read.").format(file=file),
                _("Nothing was changed."),
            )
        text = data.decode("utf-8")
        private.replace_file(file, changed(text, name, value).encode())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            _("{file} cannot be written: {error}.").format(
                file=file, error=getattr(error, "strerror", None) or error
            ),
            _("Nothing was changed."),
        ) from error


def changed(text: str, name: str, value: Value | None) -> str:
    """Change one setting in the text of a config.toml file, and return the new text.

    Raises `SettingsError` if the text is not valid TOML.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    *tables, last = name.split(".")
    try:
        document = tomlkit.parse(text)
        inside: Any = document
        for table in tables:
            if value is None and table not in inside:
                return text
            if not isinstance(inside.get(table), dict):
                inside[table] = tomlkit.table()
            inside = inside[table]
        if value is not None:
            inside[last] = value
        else:
            inside.pop(last, None)
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise SettingsError(
            _("config.toml is not valid TOML, so it was not changed."),
            _("Run `tutor config check` to see what is wrong."),
        ) from error
