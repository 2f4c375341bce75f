"""Replace keys according to the `[keys]` table in the user's settings.

Every action has an id, which consists of the place where its key is bound (`tutor.app.key_places`)
and its label, such as "stepper.new-seed". The ids are derived from the bindings, so a new binding
needs no extra declaration. Textual's own keymap is not used, because it also removes other actions
that have the old key, such as "stop" along with "run".
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key

from tutor.app.key_places import KEY_PLACES
from tutor.language import _
from tutor.settings.reading import line_of
from tutor.settings.schema import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Keymap = dict[str, tuple[str, ...]]
"""The new keys of actions, by the id of the action."""

_SCOPES = {name: place.scope for place in KEY_PLACES for name in place.classes.split()}
_OF_LABS = "tutor.labs."
_MODIFIERS = {"ctrl", "shift", "alt", "super", "meta", "hyper"}
_CHARACTERS = {_character_to_key(chr(code)): chr(code) for code in range(33, 127)}
"""The character that each key types, by the key's name. Textual itself does not map all keys."""
_NAMED = {key.value for key in Keys} | _CHARACTERS.keys()


def keymap(keys: Mapping[str, str]) -> Keymap:
    """Convert the `[keys]` table to a keymap. Keys that no terminal can send are left out."""
    found = {
        action: tuple(key for key in map(_normal, text.split(",")) if _exists(key))
        for action, text in keys.items()
    }
    return {action: chosen for action, chosen in found.items() if chosen}


def remap(node: DOMNode, keys: Keymap) -> None:
    """Apply a keymap to a widget, a screen or the app.

    Keys that a widget has added itself, such as the letters of its answers, are kept.
    """
    kind = type(node)
    if not _is_ours(kind):
        return
    declared = kind._merged_bindings.key_to_bindings if kind._merged_bindings else {}
    own = BindingsMap(
        binding
        for key, bindings in node._bindings.key_to_bindings.items()
        for binding in bindings
        if binding not in declared.get(key, ())
    )
    node._bindings = BindingsMap.merge([own, remapped(kind, keys)])


def remapped(kind: type[DOMNode], keys: Keymap) -> BindingsMap:
    """Return the bindings of a class after applying a keymap.

    If an action gets a new key, another action of the same screen that had this key loses it.
    """
    kept: dict[str, list[Binding]] = {}
    moved: dict[str, list[Binding]] = {}
    for key, bindings in bindings_with_ids(kind).items():
        for binding in bindings:
            for new in keys.get(binding.id or "", ()):
                others = moved.setdefault(new, [])
                if all(binding.action != other.action for other in others):
                    others.append(binding.with_key(new))
            if binding.id not in keys:
                kept.setdefault(key, []).append(binding)
    return BindingsMap.from_keys(kept | moved)


def types_text(bound: BindingsMap, action: str, field: DOMNode) -> bool:
    """Return True if a text field would insert all keys of an action as text."""
    keys = [
        key
        for key, bindings in bound.key_to_bindings.items()
        if any(each.action == action for each in bindings)
    ]
    return bool(keys) and all(field.check_consume_key(key, _CHARACTERS.get(key)) for key in keys)


def bindings_with_ids(kind: type[DOMNode]) -> dict[str, list[Binding]]:
    """Return the bindings of a class and its base classes, by key.

    The bindings of tutor's own classes have ids. As in Textual, a class that binds a key replaces
    all bindings of this key in its base classes.
    """
    keys: dict[str, list[Binding]] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, DOMNode):
            continue
        if not base._inherit_bindings:
            keys.clear()
        own: dict[str, list[Binding]] = {}
        for binding in own_bindings(base):
            own.setdefault(binding.key, []).append(binding)
        keys |= own
    return keys


@cache
def own_bindings(kind: type[DOMNode]) -> tuple[Binding, ...]:
    """Return the bindings that a class itself declares. Those of tutor's own classes have ids."""
    bindings = list(Binding.make_bindings(vars(kind).get("BINDINGS", ())))
    if not _is_ours(kind):
        return tuple(bindings)
    labels = {each.action: each.description for each in reversed(bindings) if each.description}
    keys: dict[str, set[str]] = {}
    for each in bindings:
        if each.description:
            keys.setdefault(each.description, set()).add(f"{each.key} {each.action}")
    named = []
    for binding in bindings:
        label = labels.get(binding.action, "")
        name, arguments = label or binding.action, re.search(r"\((.*)\)", binding.action)
        if arguments and _differ(keys.get(label, ())):
            name = f"{label} {arguments[1]}"
        named.append(replace(binding, id=f"{_scope(kind)}.{_slug(binding.id or name)}"))
    return tuple(named)


def _differ(uses: Iterable[str]) -> bool:
    """Return True if a label belongs to several actions with different keys, as “take” does.

    To the user, actions with the same label and the same key are one action. For example, two
    actions have the label “stop” and the key r.
    """
    pairs = [use.split(" ", 1) for use in uses]
    return len({key for key, _ in pairs}) > 1 and len({action for _, action in pairs}) > 1


def _is_ours(kind: type[DOMNode]) -> bool:
    return kind.__module__.startswith("tutor.")


def _scope(kind: type[DOMNode]) -> str:
    lab = kind.__module__.removeprefix(_OF_LABS).partition(".")[0]
    if kind.__module__.startswith(_OF_LABS) and lab != "kit":
        return f"lab-{_slug(lab)}"
    return _SCOPES.get(kind.__name__) or _slug(re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__))


def _slug(words: str) -> str:
    """Convert words to a part of an id. For example, "page(-1)" becomes "page-back"."""
    words = re.sub(r"\(-1\b", " back", re.sub(r"\(1\b", " forward", words))
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _normal(key: str) -> str:
    """Return Textual's name for a key, such as "question_mark" for "?"."""
    *modifiers, name = key.strip().rsplit("+", 1) if key.strip() != "+" else ["+"]
    name = _character_to_key(name) if len(name) == 1 and not name.isalnum() else name
    return "+".join([*modifiers, name])


def _exists(key: str) -> bool:
    *modifiers, name = key.split("+")
    return set(modifiers) <= _MODIFIERS and (name in _NAMED or (len(name) == 1))


# --- problems -----------------------------------------------------------------------------------


def problems_of(keys: Mapping[str, str], text: str = "") -> list[Problem]:
    """Return the problems in the `[keys]` table, such as unknown keys or keys with two actions.

    `text` is the text of the settings file, used to look up line numbers. This function imports
    every screen and every lab.
    """
    kinds = list(every_class())
    known = {
        binding.id or ""
        for kind in kinds
        for binding in own_bindings(kind)
        if binding.id is not None
    }
    problems = []
    for action, wanted in keys.items():
        line = line_of(text, action, "keys")
        if action not in known:
            near = difflib.get_close_matches(action, known, n=1, cutoff=0.4)
            advice = _("See docs/settings.md.")
            if near:
                advice = _("Did you mean {name}?").format(name=near[0])
            problems.append(
                Problem(line, _("There is no action {action!r}.").format(action=action), advice)
            )
        for key in wanted.split(","):
            if not _exists(_normal(key)):
                problems.append(
                    Problem(
                        line, _("There is no key {key!r}.").format(key=key.strip()), _KEY_ADVICE
                    )
                )
    found = {
        action: conflict for action, conflict in _conflicts(kinds, keymap(keys)) if action in known
    }
    return problems + [
        Problem(line_of(text, action, "keys"), conflict, _("Choose another key."))
        for action, conflict in found.items()
    ]


_KEY_ADVICE = _("Write key names as in these examples: “ctrl+z”, “f2”, “pagedown”, “?”.")
_CONFLICT = _("The key {key!r} is assigned to both {action!r} and {other!r}.")


def _conflicts(kinds: Sequence[type[DOMNode]], keys: Keymap) -> Iterator[tuple[str, str]]:
    """Yield the id of each action whose new key also belongs to another action, and a message."""
    everywhere: dict[str, set[str]] = {}
    for kind in kinds:
        if issubclass(kind, App):
            everywhere |= _by_id(bindings_with_ids(kind))
    for kind in kinds:
        by_id = everywhere | _by_id(bindings_with_ids(kind))
        for action, chosen in keys.items():
            if action not in by_id:
                continue
            for other, usual in by_id.items():
                # These two actions also have the same key by default.
                if other == action or usual & by_id[action]:
                    continue
                if shared := set(chosen) & set(keys.get(other, usual)):
                    key = sorted(shared)[0]
                    yield action, _CONFLICT.format(key=key, action=action, other=other)


def _by_id(bindings: Mapping[str, list[Binding]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key, each in bindings.items():
        for binding in each:
            if binding.id:
                found.setdefault(binding.id, set()).add(key)
    return found


def every_class() -> Iterator[type[DOMNode]]:
    """Yield every class in the app and its labs that binds keys."""
    from tutor.labs.kit import registry

    for module in walk_packages(import_module("tutor.app").__path__, "tutor.app."):
        import_module(module.name)
    for name in registry.names():
        registry.load_part(name, "view")
    of_app = ("tutor.app.", "tutor.labs.")  # other modules may not have been imported yet
    for module_name in sorted(name for name in sys.modules if name.startswith(of_app)):
        for found in filter(inspect.isclass, list(vars(sys.modules[module_name]).values())):
            if (
                found.__module__ == module_name
                and issubclass(found, DOMNode)
                and own_bindings(found)
            ):
                yield found
