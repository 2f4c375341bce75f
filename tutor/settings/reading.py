"""Read the settings from config.toml, and describe the problems found in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tutor.language import _
from tutor.regular_file import read_regular
from tutor.settings.file import LARGEST, config_file
from tutor.settings.schema import Problem, Settings, SettingsError, reason_in_words

if TYPE_CHECKING:
    import tomllib


class Loaded(msgspec.Struct, frozen=True):
    """The result of reading a settings file: the settings, and any problems with the file.

    `given` has the names of the settings that the file contains. A setting whose value is invalid
    has its default instead. Each name includes the name of its table: "review.retention".
    """

    settings: Settings = Settings()
    given: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def load(file: Path | None = None) -> Loaded:
    """Read the settings file, or return the default settings if there is no file.

    A mistake in the file never prevents tutor from starting: problems are returned and not raised.
    Raises `SettingsError` if the file cannot be read at all.
    """
    file = file or config_file()
    if file == Path(os.devnull):
        return Loaded()
    try:
        data = read_regular(file, LARGEST + 1)
        if len(data) > LARGEST:
            raise SettingsError(
                _("{file} is larger than 1 MB, so it was not read.").format(file=file),
                _("Correct the file or remove it."),
            )
        text = data.decode("utf-8")
    except FileNotFoundError:
        return Loaded()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            _("{file} cannot be read: {error}.").format(
                file=file, error=getattr(error, "strerror", None) or error
            ),
            _("Correct the file or remove it."),
        ) from error
    return parse(text)


def parse(text: str) -> Loaded:
    """Return the settings in the text of a config.toml file."""
    import tomllib  # imported here, because it isn't needed without a file

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        return Loaded(problems=(Problem(int(line[1]) if line else 0, _sentence(error)),))
    except RecursionError:
        return Loaded(problems=(Problem(0, _not_toml(_("it is nested too deeply"))),))
    except ValueError:  # Python converts no number with more than 4,300 digits
        return Loaded(problems=(Problem(0, _not_toml(_("a number has too many digits"))),))
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
    """Return the valid settings of a table.

    For each unknown or invalid setting, a problem is appended to `problems`.
    """
    fields = {field.name: field for field in msgspec.structs.fields(of)}
    sound: dict[str, Any] = {}
    for name, value in table.items():
        full = prefix + name
        line = line_of(text, name, prefix.rstrip("."))
        if name not in fields:
            import difflib

            near = difflib.get_close_matches(name, fields, n=1, cutoff=0.5)
            known = ", ".join(fields)
            advice = _("Did you mean {name}?") if near else _("Use {known}.")
            advice = advice.format(name=prefix + near[0] if near else "", known=known)
            problems.append(
                Problem(line, _("There is no setting {name!r}.").format(name=full), advice)
            )
            continue
        kind = type(fields[name].default)
        if issubclass(kind, msgspec.Struct) and isinstance(value, dict):
            sound[name] = _sound(kind, value, f"{full}.", text, problems)
            continue
        try:
            msgspec.convert({name: value}, of)
        except msgspec.ValidationError:
            problems.append(Problem(line, reason_in_words(full, value)))
        else:
            if isinstance(value, str) and "\0" in value:  # environment variables can't contain it
                said = _("The text for {name} contains a null character.").format(name=full)
                problems.append(Problem(line, said))
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


def line_of(text: str, name: str, table: str) -> int:
    """Return the number of the line that sets `name` in `table`, or 0 if none is found.

    tomllib does not report line numbers. This search supports table headers and dotted keys.
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
    return _not_toml(said[:1].lower() + said[1:])


def _not_toml(reason: str) -> str:
    return _("This is not valid TOML: {reason}.").format(reason=reason)
