"""Derive the commands of a lab from the types of its actions.

An action type is a struct. In a command, each of its fields becomes a word or a number. For
example, `MoveFocus[Literal["layer", "head"]]` accepts `move layer 3` and `move head previous`. A
field with a default is written as `name=value`, before all other fields. A text field takes the
rest of the line.
"""

from __future__ import annotations

import re
from itertools import chain
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import (
    Adjust,
    Choose,
    EditText,
    MoveFocus,
    Reset,
    Run,
    ShowView,
    Toggle,
)
from tutor.labs.kit.registry import AnyLab
from tutor.labs.kit.remote import Add
from tutor.language import _
from tutor.plain import words
from tutor.plain.labs.sentences import own_help

FAR = 9999
_FILLED_IN = ("cursor",)
"""Fields whose values the learner does not type, because the cursor is always at the end."""
_STEPS = {"next": 1, "previous": -1, "first": -FAR, "last": FAR, "up": 1, "down": -1}
_WORDS: dict[type, str] = {
    EditText: "edit",
    MoveFocus: "move",
    Choose: "choose",
    Adjust: "adjust",
    Toggle: "toggle",
    ShowView: "view",
    Run: "run",
    Reset: "start-over",
}
_HELP: dict[type, str] = {
    EditText: _("Replace the text."),
    MoveFocus: _("Move to another {names}: next, previous, first, last, or a number of steps."),
    Choose: _("Choose another {names}: next, previous, or a number of steps."),
    Adjust: _("Change the {names}: up, down, or a number of steps."),
    Toggle: _("Switch on or off: {names}."),
    ShowView: _("Show a view: {names}."),
    Run: _("Start or stop this lab's long-running computation."),
}
_NAMED = (("by `by`", "by a number of"), ("`by` ", "some "), ("`MANY`", "many"), ("`", ""))


class Field(msgspec.Struct, frozen=True):
    """A field of an action, as a part of a command.

    If only certain values are allowed, `names` lists them. If `optional` is true, the field has a
    default value.
    """

    name: str
    kind: type
    names: tuple[str, ...] = ()
    optional: bool = False

    @property
    def usage(self) -> str:
        if self.names:
            return "|".join(self.names)
        if self.kind is bool:
            return "yes|no"
        return "NUMBER" if self.kind in (int, float) else self.name.upper()


class ActionWord(msgspec.Struct, frozen=True):
    """A command of the lab, derived from a type of action.

    Each item of `inner` describes a field that contains another struct: its name, its type, and the
    fields of that struct.
    """

    word: str
    help: str
    type: Any
    fields: tuple[Field, ...]
    inner: tuple[tuple[str, Any, tuple[Field, ...]], ...] = ()

    @property
    def usage(self) -> str:
        said = [each for each in self._all if len(each.names) != 1 and each.name not in _FILLED_IN]
        chosen = [f"[{each.name}={each.usage}]" for each in self._all if each.optional]
        names = [each.usage for each in said if not each.optional and each.names]
        others = [each.usage for each in said if not each.optional and not each.names]
        return " ".join((*chosen, *names, *others))

    @property
    def _all(self) -> tuple[Field, ...]:
        return (*self.fields, *chain.from_iterable(fields for __, __, fields in self.inner))

    def parse(self, text: str) -> Any:
        """Return the action for a typed command. Raises `LabError` if the command is invalid."""
        values, rest = _options(self._all, text)
        required = [each for each in self._all if not each.optional]
        plain = [each for each in required if each.kind is not str or each.names]
        texts = [each for each in required if each not in plain]
        parts = rest.split()
        if texts and not plain and len(texts) == 1:
            values[texts[0].name] = rest
        else:
            self._take(plain, texts, parts, values)
        return self._made(values)

    def _take(
        self, plain: list[Field], texts: list[Field], parts: list[str], values: dict[str, Any]
    ) -> None:
        for each in plain:
            found = next((at for at, part in enumerate(parts) if _matches(each, part)), None)
            if found is not None:
                values[each.name] = _value(each, parts.pop(found))
            elif len(each.names) == 1:
                values[each.name] = each.names[0]
            elif each.name == "by":
                values[each.name] = 1
            elif each.name in _FILLED_IN:
                values[each.name] = len(" ".join(parts))
            else:
                raise self._wrong()
        for each in texts[:-1]:
            if not parts:
                raise self._wrong()
            values[each.name] = parts.pop(0)
        if texts:
            values[texts[-1].name] = " ".join(parts)
        elif parts:
            raise self._wrong()

    def _made(self, values: dict[str, Any]) -> Any:
        inner = {
            name: kind(**{each.name: values.pop(each.name) for each in fields})
            for name, kind, fields in self.inner
        }
        try:
            return self.type(**values, **inner)
        except TypeError as error:
            raise self._wrong() from error

    def _wrong(self) -> LabError:
        return LabError(
            _("Type {word} {usage}").format(word=self.word, usage=self.usage).rstrip() + "."
        )


def action_words(lab: AnyLab) -> tuple[ActionWord, ...]:
    """Return the commands for a lab's actions, except the one that adds a remote model."""
    found = (_word(kind, lab.texts) for kind in action_types(lab) if kind is not Add)
    own = own_help(lab.name)
    return tuple(replace(each, help=own.get(each.word, each.help)) for each in found)


def action_types(lab: AnyLab) -> tuple[Any, ...]:
    """Return the types of the actions that a lab accepts."""
    actions = lab.actions
    return get_args(actions) if get_origin(actions) in (Union, UnionType) else (actions,)


def _word(kind: Any, texts: tuple[str, ...]) -> ActionWord:
    struct = get_origin(kind) or kind
    names = texts if struct is EditText else _literals(get_args(kind))
    fields: list[Field] = []
    inner: list[tuple[str, Any, tuple[Field, ...]]] = []
    for each in msgspec.structs.fields(struct):
        nested = isinstance(each.type, type) and issubclass(each.type, msgspec.Struct)
        if nested:
            parts = tuple(map(_field, msgspec.structs.fields(each.type)))
            inner.append((each.name, each.type, parts))
        elif get_origin(each.type) is not tuple:  # a tuple can't be typed: keep the default
            fields.append(_field(each, names))
    if struct is EditText:
        text, field = fields
        fields = [text, replace(field, names=texts)] if texts else [text]
    word = _WORDS.get(struct) or re.sub(r"(?<=[a-z])(?=[A-Z])", "-", struct.__name__).lower()
    return ActionWord(word, _help(struct, names), struct, tuple(fields), tuple(inner))


def _field(each: Any, names: tuple[str, ...] = ()) -> Field:
    optional = each.default is not msgspec.NODEFAULT
    if isinstance(each.type, TypeVar):
        return Field(each.name, str, names, optional)
    if get_origin(each.type) is Literal:
        return Field(each.name, str, get_args(each.type), optional)
    return Field(each.name, each.type, (), optional)


def _literals(arguments: tuple[Any, ...]) -> tuple[str, ...]:
    """Return all values of literal types, including those inside unions."""
    found: list[str] = []
    for each in arguments:
        found += [each] if isinstance(each, str) else _literals(get_args(each))
    return tuple(found)


def _help(struct: type, names: tuple[str, ...]) -> str:
    said = _HELP.get(struct)
    if said is not None:
        return said.format(names=words.listed(names))
    summary = " ".join((struct.__doc__ or "").split("\n\n")[0].split())
    said = _(summary)
    for sign, word in _NAMED:
        said = said.replace(sign, word)
    return said


def _options(fields: tuple[Field, ...], text: str) -> tuple[dict[str, Any], str]:
    """Split off the `name=value` words at the start. Return their values and the remaining text."""
    values: dict[str, Any] = {}
    by_name = {each.name: each for each in fields if each.optional}
    rest = text
    while (found := re.match(r"(\w+)=(\S+) ?", rest)) and found[1] in by_name:
        values[found[1]] = _value(by_name[found[1]], found[2])
        rest = rest[found.end() :]
    return values, rest


def _matches(field: Field, part: str) -> bool:
    if field.names:
        return part in field.names
    if field.kind is int:
        return part in _STEPS or re.fullmatch(r"[+-]?\d{1,6}", part) is not None
    return True


def _value(field: Field, part: str) -> Any:
    if field.names:
        if part not in field.names:
            raise LabError(_("Type one of {names}.").format(names=words.listed(field.names)))
        return part
    if field.kind is bool:
        return part.casefold() in ("yes", "true", "on", "1")
    try:
        return _STEPS[part] if field.kind is int and part in _STEPS else field.kind(part)
    except ValueError as error:
        raise LabError(_("{part} is not a number.").format(part=part)) from error
