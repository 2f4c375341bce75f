"""Generate parts of README.md and docs/ from the code, and the manual page.

    python -m tools.docs

The parts are tables of keys, and counts. A generated part is between `<!-- generated: NAME -->` and
`<!-- end -->`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from argparse_manpage.manpage import Manpage
from textual.binding import Binding

from tutor import __version__
from tutor.app.key_places import KEY_PLACES, KeyPlace
from tutor.app.key_scheme import COMMON_KEYS
from tutor.app.keymap import every_class, own_bindings
from tutor.app.widgets.key_names import key_name
from tutor.cli.main import parser
from tutor.course.catalogue import load_course
from tutor.labs.kit import registry
from tutor.labs.kit.view import LabView
from tutor.settings.catalogue import CATALOGUE

if TYPE_CHECKING:
    from textual.dom import DOMNode

ROOT = Path(__file__).parent.parent
MANUAL = Path("packaging/man/tutor.1")
FILES = tuple(map(Path, ("README.md", "docs/keys.md", "docs/labs.md", "docs/settings.md")))
MAIN = ("everywhere", "lists", "course map")
"""The rows of the short table of keys in README.md."""
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->).*?(<!-- end -->)", re.DOTALL)


SIGNS = {
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "space": "Space",
    "ctrl+right": "Ctrl+→",
    "ctrl+n": "Ctrl+n",
    "home": "Home",
    "end": "End",
}
"""The names of keys that the documentation capitalizes, unlike the screen."""
ALIASES = {"space", "pagedown", "pageup", "backspace", "w", "ctrl+q", "ctrl+c"}
"""The hidden keys that duplicate another key."""


def main() -> None:
    for file in FILES:
        before = (ROOT / file).read_text(encoding="utf-8")
        if (after := filled_in(before)) != before:
            (ROOT / file).write_text(after, encoding="utf-8")
            print(file)
    (ROOT / MANUAL).write_text(manual(), encoding="utf-8")


def manual() -> str:
    """Return the manual page of the command line, in troff."""
    page = Manpage(parser())
    page.description = "take a language model apart, one token at a time"
    page.source, page.manual = f"tutor {__version__}", "tutor"
    page.date = ""  # otherwise the page would change every day
    return str(page) + "\n"


def filled_in(text: str) -> str:
    """Return `text` with its generated parts updated.

    Raises `KeyError` if a part has an unknown name.
    """
    parts = {
        "keys": keys_of_the_app,
        "main-keys": main_keys,
        "common-keys": common_keys,
        "keys-of-labs": keys_of_labs,
        "settings": settings,
        "actions": actions,
        "labs": number_of_labs,
    }
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]]()}{found[3]}", text)


def number_of_labs() -> str:
    return str(len(registry.names()))


def settings() -> str:
    rows = []
    for _, entries in CATALOGUE:
        for entry in entries:
            others = " ".join(f"`{each}`" for each in (entry.option, entry.variable) if each)
            usual = f"`{_toml(entry.default)}`"
            rows.append((f"`{entry.name}`", usual, entry.about, others))
    return table(("setting", "default", "what it does", "overridden by"), rows)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value)


def actions() -> str:
    """Return the ids of all actions and their keys, by the first part of the id."""
    found: dict[str, dict[str, list[str]]] = {}
    for kind in every_class():
        for binding in own_bindings(kind):
            scope, _, action = (binding.id or "").partition(".")
            if scope:
                keys = found.setdefault(scope, {}).setdefault(action, [])
                keys += [name for name in [sign(binding.key)] if name not in keys]
    rows = []
    for scope, by_action in sorted(found.items()):
        names = (f"{action} ({' '.join(keys)})" for action, keys in by_action.items())
        rows.append((f"`{scope}.`", " · ".join(names)))
    return table(("first part of the id", "second parts, with their default keys"), rows)


def common_keys() -> str:
    rows = []
    for common in COMMON_KEYS:
        signs = map(sign, common.key.split(", "))
        rows.append((" ".join(f"`{each}`" for each in signs), common.meaning))
    return table(("key", "what it does"), rows)


def main_keys() -> str:
    return keys_of_the_app([row for row in KEY_PLACES if row.where in MAIN])


def keys_of_the_app(of: Sequence[KeyPlace] = KEY_PLACES) -> str:
    by_name = {each.__name__: each for each in classes_with_keys()}
    rows = []
    for row in of:
        own = [by_name[name] for name in row.classes.split()]
        told = dict.fromkeys(chain.from_iterable(map(entries, own)))
        rows.append((row.where, " · ".join([*told, row.more] if row.more else told)))
    return table(("where", "keys"), rows)


def keys_of_labs() -> str:
    lessons = load_course().lessons
    numbers = {lesson.id: str(lesson.number) for lesson in lessons}
    rows = []
    for lab in registry.every():
        view: type[LabView] = registry.load_part(lab.name, "view").VIEW
        told = dict.fromkeys(entries(view))
        rows.append((lab.name, numbers[lab.lesson], " · ".join(told)))
    return table(("lab", "lesson", "keys"), rows)


def table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (heading, *rows)]
    lines.insert(1, "|" + "---|" * len(heading))
    return "\n" + "\n".join(lines) + "\n"


def entries(of: type[DOMNode]) -> list[str]:
    """Return the keys of a class with their descriptions, such as "`↑` `↓` row".

    A hidden binding without a description is merged with the preceding binding of the same action.
    """
    found: list[tuple[list[str], str]] = []
    action = ""
    for binding in bindings(of):
        keys = [sign(key) for key in told_keys(binding)]
        says = binding.description or uncapitalized(binding.tooltip)
        same = bool(found) and binding.action.partition("(")[0] == action
        if not keys or not (says or same):
            continue
        action = binding.action.partition("(")[0]
        if same and (not says or says == found[-1][1]):
            found[-1][0].extend(key for key in keys if key not in found[-1][0])
        elif found and keys == found[-1][0]:  # the key has several meanings
            found[-1] = (keys, f"{found[-1][1]}, {says}")
        else:
            found.append((keys, says))
    return [f"{' '.join(f'`{key}`' for key in ranges(keys))} {says}" for keys, says in found]


def sign(key: str) -> str:
    """Return the name of a key in the documentation, such as "Esc" or "=".

    Raises `ValueError` if only Textual's own name of the key is known, such as "full_stop".
    """
    name = SIGNS.get(key) or key_name(key)
    if "_" in name:
        raise ValueError(key)
    return name


def uncapitalized(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def told_keys(binding: Binding) -> list[str]:
    keys = binding.key.split(",")
    return [key for key in keys if binding.show or key not in ALIASES]


def ranges(keys: list[str]) -> list[str]:
    """Return the keys, with the digits from 1 to 9 merged into one range."""
    digits = list("123456789")
    rest = [key for key in keys if key not in digits]
    return [*rest, "1-9"] if [key for key in keys if key in digits] == digits else keys


def bindings(of: type[DOMNode]) -> list[Binding]:
    found = []
    for binding in vars(of).get("BINDINGS", ()):
        assert isinstance(binding, Binding)
        found.append(binding)
    return found


def classes_with_keys() -> Iterator[type[DOMNode]]:
    """Yield the classes that bind keys, except the views of labs."""
    return (kind for kind in every_class() if not issubclass(kind, LabView) and bindings(kind))


if __name__ == "__main__":
    main()
