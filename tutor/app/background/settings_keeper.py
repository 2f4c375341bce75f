"""The settings in effect while the app runs, and the functions that change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tutor.settings.catalogue import ENTRIES, Value, value_of, with_value
from tutor.settings.effective import USUAL, Effective
from tutor.settings.file import config_file
from tutor.settings.reading import load
from tutor.settings.schema import SettingsError
from tutor.settings.writing import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.settings.schema import Settings


class SettingsKeeper:
    """The settings in effect, and a history of the changes in this session.

    Every change is written to config.toml. If an environment variable or a command-line option
    overrides a setting, the setting's new value takes effect only when tutor starts without the
    override. `on_change` is called with the name of the changed setting.
    """

    def __init__(self, effective: Effective = USUAL) -> None:
        self.effective = effective
        self.notice: SettingsError | None = None
        """The message about problems with the settings, shown when tutor starts."""
        self.on_change: Callable[[str], None] = lambda name: None
        self._undo: list[tuple[str, Value | None]] = []

    @property
    def current(self) -> Settings:
        return self.effective.settings

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def in_file(self, name: str) -> Value | None:
        """Return a setting's value in the file, or None if the file does not contain the setting.

        Raises `SettingsError` if the file cannot be read.
        """
        loaded = load(config_file())
        value: Value | None = value_of(loaded.settings, name) if name in loaded.given else None
        return value

    def change(self, name: str, value: Value | None) -> None:
        """Write a setting to the file. None removes the setting, so that its default applies.

        Raises `SettingsError` if the file cannot be written. In that case, nothing is changed.
        """
        before = self.in_file(name)
        self._write(name, value)
        self._undo.append((name, before))

    def undo(self) -> str | None:
        """Undo the latest change. Return the setting's name, or None if there is nothing to undo.

        Raises `SettingsError` if the file cannot be written.
        """
        if not self._undo:
            return None
        name, before = self._undo[-1]
        self._write(name, before)
        self._undo.pop()
        return name

    def overridden(self, name: str) -> bool:
        return self.effective.source(name) in ("environment", "option")

    def _write(self, name: str, value: Value | None) -> None:
        write(name, value)
        if not self.overridden(name):
            now = ENTRIES[name].default if value is None else value
            sources = {key: source for key, source in self.effective.sources.items() if key != name}
            self.effective = replace(
                self.effective,
                settings=with_value(self.current, name, now),
                sources=sources if value is None else {**sources, name: "file"},
            )
        self.on_change(name)
