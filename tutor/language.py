"""Find the user's preferred language, and translate the strings of the interface.

The preferred language is in the environment variable TUTOR_LANGUAGE, which `--language` sets and
child processes inherit, or else in config.toml. The locale is ignored, because most lessons have no
translation.

    _("Press r to run.")
    _("Layer {layer} of {layers}").format(layer=3, layers=30)
    ngettext("{count} token", "{count} tokens", count).format(count=count)

The language is fixed as soon as the first string is translated, so that constants can be translated
too. Strings without a translation stay in English. See docs/translate.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

VARIABLE = "TUTOR_LANGUAGE"
OPTION = "--language"

ORIGINAL = "en"
"""The language of the bundled lessons and of the interface without a catalog."""

DOMAIN = "tutor"
"""The name of the catalog files, which are `locales/LANGUAGE/LC_MESSAGES/tutor.mo`."""

LOCALES = Path(__file__).parent / "locales"

_NAMES = {"de": "Deutsch", "en": "English"}
"""The names of languages, each in the language itself, by their codes."""

_in_settings = ""
"""The language in config.toml (see `prefer`)."""

_CODE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z]+)*")


def preferred() -> str:
    """Return the code of the preferred language, such as "de", or "" for the original."""
    code = os.environ.get(VARIABLE, "").strip() or _in_settings
    return "" if code == ORIGINAL else code


def prefer(code: str) -> None:
    """Set the preferred language for this process if TUTOR_LANGUAGE is not set."""
    global _in_settings
    _in_settings = code


def choose(arguments: Sequence[str]) -> None:
    """Set the preferred language from the command line.

    Call this before the modules with translated constants are imported.
    """
    if (given := value_given(arguments, OPTION)) is not None:
        os.environ[VARIABLE] = given


def value_given(arguments: Sequence[str], option: str) -> str | None:
    """Return the value of an option on a command line that is not parsed yet, or None."""
    found = None
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if name == option:
            found = value if equals else following
    return found


def has_catalog(code: str) -> bool:
    """Return True if the interface is translated into a language."""
    return bool(_CODE.fullmatch(code)) and _catalog_file(code).is_file()


def _(message: str) -> str:
    """Return the translation of a message.

    Spaces at its beginning and end are kept, so that translators don't have to copy them.
    """
    catalog = _catalog()
    if catalog is None or not (core := message.strip()):
        return message
    start = message.index(core)
    return message[:start] + catalog.gettext(core) + message[start + len(core) :]


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the translation of a message whose form depends on a number."""
    catalog = _catalog()
    if catalog is None:
        return singular if number == 1 else plural
    return catalog.ngettext(singular, plural, number)


def interface_languages() -> tuple[str, ...]:
    """Return the codes of the languages into which the interface is translated."""
    names = sorted(each.name for each in LOCALES.iterdir()) if LOCALES.is_dir() else []
    return tuple(name for name in names if has_catalog(name))


def with_name(code: str) -> str:
    """Return the code of a language and, if it is known, the language's name in parentheses."""
    return f"{code} ({_NAMES[code]})" if code in _NAMES else code


def is_translation(one: str, other: str) -> bool:
    """Return True if one text is the translation of the other one, in any language."""
    catalogs = [_read(_catalog_file(code)) for code in interface_languages()]
    return any(each.gettext(one) == other or each.gettext(other) == one for each in catalogs)


def _catalog_file(code: str) -> Path:
    return LOCALES / code / "LC_MESSAGES" / f"{DOMAIN}.mo"


@cache
def _catalog() -> NullTranslations | None:
    """Return the catalog of the preferred language, or None for English."""
    code = preferred()
    return _read(_catalog_file(code)) if has_catalog(code) else None


@cache
def _read(path: Path) -> NullTranslations:
    from gettext import GNUTranslations

    with path.open("rb") as file:
        return GNUTranslations(file)
