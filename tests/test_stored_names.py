"""Test that the names that other people's files, scripts and programs contain never change.

tests/data/stored_names.txt lists them: the options of the command line, the settings, the ids of
keys, and the names of labs, goals and structs that are saved or sent to a shared engine. To add
new names, run `python -m tests.test_stored_names`.

Other tests cover the rest: tests/engine/test_wire.py the messages to the engine,
tests/learner/test_earlier_versions.py saved progress, and tests/course/test_shipped_lessons.py the
versions of published lessons and questions (lessons/released.json).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from tutor.app.keymap import every_class, own_bindings
from tutor.cli.main import parser
from tutor.labs.kit import registry
from tutor.settings.catalogue import ENTRIES

LIST = Path(__file__).parent / "data" / "stored_names.txt"


def test_no_name_is_gone() -> None:
    gone = recorded() - set(names())
    assert gone == set(), "a renamed option or key needs the old name too"


def test_new_names_are_recorded() -> None:
    added = set(names()) - recorded()
    assert added == set(), "run `python -m tests.test_stored_names`"


def recorded() -> set[str]:
    return set(LIST.read_text(encoding="utf-8").splitlines())


def names() -> Iterator[str]:
    """Yield all names, each after a word that says what it names."""
    yield from options(parser(), "option tutor")
    for name in ENTRIES:
        yield f"setting {name}"
    for kind in every_class():
        for binding in own_bindings(kind):
            if binding.id:
                yield f"key {binding.id}"
    for lab in registry.every():
        yield f"lab {lab.name}"
        for goal in lab.goals:
            yield f"goal {lab.name} {goal.name}"
        for what, kinds in (("question", lab.questions), ("answer", lab.answers)):
            for struct in structs(kinds):
                yield f"{what} {lab.name} {struct.__struct_config__.tag}"
        for field in lab.work.limits:
            yield f"work {lab.name} {field}"


def options(of: argparse.ArgumentParser, path: str) -> Iterator[str]:
    """Yield the options and commands of a parser, and those of its commands."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"{path} {name}"
                yield from options(command, f"{path} {name}")
        for option in action.option_strings:
            yield f"{path} {option}"


def structs(kinds: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield the structs in a union. A generic struct counts without its type arguments."""
    kind = get_origin(kinds) or kinds
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    else:
        for each in get_args(kinds):
            yield from structs(each)


if __name__ == "__main__":
    LIST.write_text("".join(f"{each}\n" for each in sorted({*recorded(), *names()})))
