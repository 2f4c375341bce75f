"""Read the YAML files in `assets/bots`, and rule files that users write."""

import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from tutor import paths
from tutor.bots import rules
from tutor.bots.bank import Bank, Entry, Intent
from tutor.bots.errors import BotError
from tutor.bots.probes import ProbeSet
from tutor.bots.rules import RuleBook

T = TypeVar("T")

LARGEST = 200_000
"""The maximum size of a file, in bytes."""
DEEPEST = 8

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?\Z", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+|\.\.\.)\]")


class _Intents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    intents: tuple[Intent, ...]


class _Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answers: dict[str, tuple[Entry, ...]]


@cache
def shipped_rules() -> RuleBook:
    return read_rules(paths.bots_folder() / "rules.yaml")


@cache
def shipped_bank() -> Bank:
    intents = _read(paths.bots_folder() / "intents.yaml", _Intents).intents
    return Bank(intents, _read(paths.bots_folder() / "answers.yaml", _Answers).answers)


@cache
def shipped_probes() -> ProbeSet:
    return _read(paths.bots_folder() / "probes.yaml", ProbeSet)


def read_rules(path: Path) -> RuleBook:
    """Read the rules from a file.

    Raises `BotError` if the file is invalid. The message names the line or the rule.
    """
    book = _read(path, RuleBook)
    names: set[str] = set()
    for rule in book.rules:
        try:
            rules.check(rule)
        except BotError as error:
            raise BotError(
                f"{path.name}, rule {rule.name!r}: {error.happened}", error.next_step
            ) from error
        if rule.name in names:
            raise BotError(
                f"{path.name}: two rules are named {rule.name!r}.", "Rename one of them."
            )
        names.add(rule.name)
    return book


def _read(path: Path, kind: type[T]) -> T:
    try:
        data = path.read_bytes()
        if len(data) > LARGEST:
            raise BotError(f"{path.name} is larger than {LARGEST:,} bytes.", "Use a smaller file.")
        text = data.decode("utf-8")
    except OSError as error:
        raise BotError(f"{path} could not be read: {error.strerror}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise BotError(f"{path.name} is not UTF-8.", "Save it as UTF-8.") from error
    return decode(text, kind, path.name)


def decode(text: str, kind: type[T], file: str) -> T:
    """Convert the YAML text of a file to an object of the class `kind`.

    Raises `BotError` if the text is invalid. The message contains the line number.
    """
    try:
        _refuse_aliases_and_depth(text, file)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "the syntax is invalid"
        raise BotError(
            f"{file}, line {mark.line + 1 if mark else 1}: invalid YAML: {problem}.",
            "Check the indentation, and quote text that begins with a special character.",
        ) from error
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        what, path = (found["what"], found["path"] or "") if found else (str(error), "")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raise BotError(
            f"{file}, line {_line_of(node, path)}: {what}.",
            "Compare the entry with the ones around it.",
        ) from error


def _refuse_aliases_and_depth(text: str, file: str) -> None:
    """Raise `BotError` if the YAML text is nested too deeply or contains aliases.

    With aliases, a small file could produce a huge object.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None) is not None:
            raise BotError(
                f"{file}, line {line}: a value that begins with * or & is special in YAML.",
                'Quote a pattern that begins with a star: "* parrot *".',
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise BotError(f"{file}, line {line}: the nesting is too deep.", "Use fewer levels.")


def _line_of(node: Any, path: str) -> int:
    """Return the line of the value at a path in a YAML document.

    The path is from an error message of msgspec, such as `.rules[3].priority`. If the document does
    not contain the whole path, this returns the line of the last part that exists.
    """
    line = 1
    for step in _STEP.finditer(path):
        if isinstance(node, yaml.MappingNode):
            named = [value for key, value in node.value if key.value == step["key"]]
        elif isinstance(node, yaml.SequenceNode) and (step["index"] or "").isdigit():
            named = node.value[int(step["index"]) :][:1]
        else:
            named = []
        if not named:
            break
        node = named[0]
        line = node.start_mark.line + 1
    return line
