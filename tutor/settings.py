"""Read the user's settings from config.toml.

The file is in the folder that the system has for configuration, or in TUTOR_DATA if that is set.
Environment variables override the file, and options on the command line override both.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs

from tutor.errors import UsageError

ThemeName = Literal["auto", "dark", "light", "contrast", "terminal"]
Switch = Literal["auto", "on", "off"]

Probability = Annotated[float, msgspec.Meta(gt=0, le=1)]
PerDay = Annotated[int, msgspec.Meta(ge=0, le=9999)]


class ReviewSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The schedule of reviews.

    `retention` is the probability of still knowing an answer on the day that a review is due. A
    higher value means more reviews. The other two limit the reviews of a day, and the first reviews
    among them.
    """

    retention: Annotated[float, msgspec.Meta(ge=0.8, le=0.95)] = 0.9
    a_day: PerDay = 40
    new_a_day: PerDay = 10


class SamplerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sampler's initial settings in the stepper. 0 for `top_k` and `min_p` means no limit."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.0
    top_k: Annotated[int, msgspec.Meta(ge=0)] = 0
    top_p: Probability = 1.0
    min_p: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, with their defaults.

    `keys` maps the ids of actions to the keys that trigger them. An empty `model` or `language`
    means the default.
    """

    theme: ThemeName = "auto"
    mouse: Switch = "auto"
    model: str = ""
    language: str = ""
    plain: bool = False
    ascii: bool = False
    low_bandwidth: bool = False
    review: ReviewSettings = ReviewSettings()
    sampler: SamplerSettings = SamplerSettings()
    keys: dict[str, str] = {}


class Problem(msgspec.Struct, frozen=True):
    """A problem in the file. `line` is counted from 1, or 0 if the whole file is meant."""

    line: int
    happened: str
    next_step: str = ""


class Loaded(msgspec.Struct, frozen=True):
    """The settings of a file, the names of those that it sets, and its problems.

    Invalid settings keep their defaults. Names have their table in front: "review.retention".
    """

    settings: Settings = Settings()
    given: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


class SettingsError(UsageError, title="The settings cannot be used"):
    """Raised when the settings file cannot be read or written."""


def path() -> Path:
    """Return the path of config.toml, which need not exist."""
    if chosen := os.environ.get("TUTOR_DATA"):
        return Path(chosen).absolute() / "config.toml"
    return platformdirs.user_config_path("tutor", appauthor=False) / "config.toml"


def load(file: Path | None = None) -> Loaded:
    """Read the settings. A missing file has the default settings.

    Problems in the file are returned, not raised, so that a typing error never keeps anyone out.
    Raises `SettingsError` if the file cannot be read at all.
    """
    file = file or path()
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Loaded()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.",
            "Correct the file or remove it.",
        ) from error
    return parse(text)


def parse(text: str) -> Loaded:
    """Return the settings in the text of a config.toml."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return Loaded(problems=(Problem(int(line[1]) if line else 0, f"{_sentence(error)}"),))
    problems: list[Problem] = []
    sound = _sound(Settings, document, "", text, problems)
    given = frozenset(_names(sound, Settings))
    return Loaded(msgspec.convert(sound, Settings), given, tuple(problems))


def _sound(
    of: type[msgspec.Struct],
    table: Mapping[str, Any],
    prefix: str,
    text: str,
    problems: list[Problem],
) -> dict[str, Any]:
    """Return the valid part of a table, and add a problem for each other setting."""
    fields = {field.name: field for field in msgspec.structs.fields(of)}
    sound: dict[str, Any] = {}
    for name, value in table.items():
        full = prefix + name
        line = _line_of(text, name, prefix.rstrip("."))
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1, cutoff=0.5)
            advice = f"Did you mean {prefix}{near[0]}?" if near else f"Use {', '.join(fields)}."
            problems.append(Problem(line, f"There is no setting {full!r}.", advice))
            continue
        kind = type(fields[name].default)
        if issubclass(kind, msgspec.Struct) and isinstance(value, dict):
            sound[name] = _sound(kind, value, f"{full}.", text, problems)
            continue
        try:
            msgspec.convert({name: value}, of)
        except msgspec.ValidationError as error:
            said = str(error).partition(" - at ")[0]
            problems.append(Problem(line, f"{full} is invalid: {said[:1].lower()}{said[1:]}."))
        else:
            sound[name] = value
    return sound


def _names(table: Mapping[str, Any], of: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(of):
        if field.name not in table:
            continue
        kind = type(field.default)
        if issubclass(kind, msgspec.Struct):
            yield from _names(table[field.name], kind, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def _line_of(text: str, name: str, table: str) -> int:
    """Return the number of the line that sets `name` in `table`, or 0 if it is not found.

    tomllib does not say where a value is. A header starts a table; dotted keys are found, too.
    """
    inside = ""
    dotted = f"{table}.{name}" if table else name
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            inside = header[1]
            if inside == dotted:
                return number
        elif found := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            key = found[1].replace('"', "").replace("'", "")
            if (f"{inside}.{key}" if inside else key).startswith(dotted):
                return number
    return 0


def _sentence(error: tomllib.TOMLDecodeError) -> str:
    said = str(error).partition(" (at ")[0]
    return f"This is not valid TOML: {said[:1].lower()}{said[1:]}."
