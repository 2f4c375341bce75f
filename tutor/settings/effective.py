"""The settings in effect, after environment variables and options have overridden the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from tutor.language import _
from tutor.settings.catalogue import ENTRIES, Entry, Value, from_environment, value_of, with_value
from tutor.settings.file import config_file
from tutor.settings.reading import Loaded, load
from tutor.settings.schema import Problem, Settings, SettingsError

Source = Literal["default", "file", "environment", "option"]

_IGNORED_IN_A_KIOSK = frozenset({"model"})
"""The settings that a restricted login ignores, because they could give users more access."""


class Effective(msgspec.Struct, frozen=True):
    """The settings in effect, the source of each value, and the problems found in the file.

    A setting without a source has its default value.
    """

    settings: Settings = Settings()
    sources: Mapping[str, Source] = msgspec.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def value(self, name: str) -> Value:
        value: Value = value_of(self.settings, name)
        return value

    def source(self, name: str) -> Source:
        return self.sources.get(name, "default")

    def explain(self, name: str) -> str:
        """Return a short name for the source of a setting's value, such as "config.toml"."""
        entry = ENTRIES[name]
        match self.source(name):
            case "default":
                return _("default")
            case "file":
                return "config.toml"
            case "environment":
                return entry.variable
            case "option":
                return entry.option


USUAL = Effective()


def in_effect(
    option: Callable[[Entry], Value | None] = lambda entry: None,
    *,
    kiosk: bool = False,
    loaded: Loaded | None = None,
) -> Effective:
    """Return the settings in effect.

    `option` returns the value of a setting's command-line option, or None if the option was not
    given. If the file is unreadable or a value is invalid, the result contains a `Problem`. No
    exception is raised.
    """
    loaded = _loaded() if loaded is None else loaded
    settings, problems = loaded.settings, list(loaded.problems)
    sources: dict[str, Source] = dict.fromkeys(loaded.given, "file")
    if kiosk:
        for name in _IGNORED_IN_A_KIOSK & loaded.given:
            settings = with_value(settings, name, ENTRIES[name].default)
            del sources[name]
    for entry in ENTRIES.values():
        given = option(entry)
        if given is not None:
            settings, sources[entry.name] = with_value(settings, entry.name, given), "option"
        elif (text := from_environment(entry)) and not _copied(entry, text, loaded):
            try:
                settings = with_value(settings, entry.name, entry.parsed(text))
            except ValueError as error:
                problems.append(
                    Problem(
                        0,
                        _("{variable} cannot be used: {error}").format(
                            variable=entry.variable, error=error
                        ),
                    )
                )
            else:
                sources[entry.name] = "environment"
    return Effective(settings, sources, tuple(problems))


def _copied(entry: Entry, text: str, loaded: Loaded) -> bool:
    """Return True if an environment variable only repeats the value in the file.

    tutor sets TUTOR_LANGUAGE from the file before it translates any strings.
    """
    given = entry.name in loaded.given
    return entry.name == "language" and given and text == loaded.settings.language


def _loaded() -> Loaded:
    try:
        return load(config_file())
    except RuntimeError:  # the account has no home directory
        return Loaded()
    except SettingsError as error:
        return Loaded(problems=(Problem(0, error.happened, error.next_step or ""),))
