"""Put the state of any lab into sentences, from the fields of its structs.

A lab whose state needs better words has a module `plain` with `describe(state)`, which returns the
lines for each name. It adds to the generic lines of the other fields, and replaces those of the
same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import msgspec

from tutor.lm.distribution import Distribution, Row, Token
from tutor.plain import words
from tutor.text import counted, one_line

Lines = dict[str, tuple[str, ...]]
Describe = Callable[[Any], Mapping[str, Sequence[str]]]

FEW = 8
"""The number of items of a list to say, unless its field is asked for."""
MOST = 200
_LONGEST_TEXT = 400
_LONGEST_BYTES = 48
_BOOKKEEPING = frozenset(
    [
        "limits",
        "owed",
        "asked",
        "asked_at",
        "answered",
        "run",
        "begun",
        "fresh",
        "until",
        "spent",
        "kept",
        "going",
        "stopping",
        "looked",
        "missed",
        "sees",
        "resting",
        "back",
        "found",
        "lost",
        "rescued",
        "sure",
        "used",
        "serial",
    ]
)
"""Fields with which labs keep track of their requests and goals. They say nothing to a learner."""
_PERCENT = ("probab", "share", "certainty", "chance", "weight_of")


def describe(lab: str, state: Any, most: int = FEW) -> Lines:
    """Return the lines of each field of a state, without the fields that are empty."""
    lines: Lines = {}
    for field in msgspec.structs.fields(state):
        value = getattr(state, field.name)
        said = tuple(_field(field.name, value, most))
        if said and field.name not in _BOOKKEEPING and not (field.name == "left_out" and not value):
            lines[_name(field.name)] = said
    own = _own(lab)
    if own is not None:
        lines |= {name: tuple(each) for name, each in own(state).items()}
    return {name: said for name, said in lines.items() if said}


def changes(before: Lines, after: Lines) -> list[str]:
    """Return what is new in a state: the lines of each field that has changed."""
    found: list[str] = []
    for name, lines in after.items():
        old = before.get(name, ())
        if lines != old:
            found += lines
    return found


def _own(lab: str) -> Describe | None:
    module = f"tutor.labs.{lab.replace('-', '_')}.plain"
    if find_spec(module) is None:
        return None
    return cast("Describe", import_module(module).describe)


def _name(field: str) -> str:
    return field.replace("_", " ")


def _field(name: str, value: Any, most: int) -> Iterable[str]:
    said = _name(name)
    said = said[0].upper() + said[1:]
    match value:
        case None | "" | b"" | () | []:
            return
        case bool():
            yield f"{said}: {'yes' if value else 'no'}."
        case Distribution():
            yield f"{said}: {words.entropy(value)}"
            yield from map(words.rank, value.rows[:most])
        case Mapping():
            yield from _mapping(said, value, most)
        case list() | tuple() | frozenset():
            yield from _items(said, list(value), most)
        case _:
            text = _inline(name, value)
            if text:
                yield f"{said}: {words.ended(text)}"


def _items(said: str, values: list[Any], most: int) -> Iterable[str]:
    if all(isinstance(each, int | float | str) for each in values):
        shown = ", ".join(_inline(said, each) for each in values[:most])
        more = f" and {len(values) - most} more" if len(values) > most else ""
        yield f"{said}: {shown}{more}."
        return
    yield f"{said}: {counted(len(values), 'item')}."
    for number, each in enumerate(values[:most], 1):
        if text := _inline(said, each):
            yield f"{number}: {words.ended(text)}"
    if len(values) > most:
        yield f"{len(values) - most} more are not said. Type state {said.lower()} to hear all."


def _mapping(said: str, values: Mapping[Any, Any], most: int) -> Iterable[str]:
    for key, value in list(values.items())[:most]:
        head = f"{said} {_inline('', key)}"
        if isinstance(value, list | tuple):
            yield f"{head}: {counted(len(value), 'item')}."
            for number, each in enumerate(value[:most], 1):
                if text := _inline(said, each):
                    yield f"{number}: {words.ended(text)}"
        elif text := _inline(said, value):
            yield f"{head}: {words.ended(text)}"


def _inline(name: str, value: Any) -> str:
    """Return a value as part of a sentence, or an empty text if it says nothing to a person."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return words.number(value)
        case float():
            likely = any(part in name.lower() for part in _PERCENT) and 0 <= value <= 1
            return words.percent(value) if likely else words.number(value)
        case str():
            return words.spoken(one_line(value, _LONGEST_TEXT))
        case bytes():
            return words.quoted(value) if len(value) <= _LONGEST_BYTES else ""
        case Token():
            return words.token(value)
        case Row():
            return words.rank(value)
        case msgspec.Struct():
            return _struct(value)
        case Mapping():
            return counted(len(value), "entry").replace("entrys", "entries")
        case list() | tuple() | frozenset():
            return _short(name, list(value))
    return ""


def _struct(value: msgspec.Struct) -> str:
    parts = []
    for field in msgspec.structs.fields(value):
        inner = getattr(value, field.name)
        text = _inline(field.name, inner)
        if not text or inner is False:
            continue
        bare = isinstance(inner, bytes | Token)
        parts.append(text if bare else f"{_name(field.name)} {text}")
    return ", ".join(parts)


def _short(name: str, values: list[Any]) -> str:
    if len(values) <= FEW and all(isinstance(each, int | float | str) for each in values):
        return " ".join(_inline(name, each) for each in values)
    if all(isinstance(each, bytes) for each in values):
        return words.quoted(b"".join(values))
    return counted(len(values), "item") if values else ""
