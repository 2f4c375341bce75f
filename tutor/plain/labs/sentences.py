"""Describe the state of any lab in sentences, based on the fields of its structs.

If these generic sentences are not clear enough for a lab, the lab has a module `plain` with a
function `describe(state)`. This function returns lines by field name, and its lines replace the
generic lines for the same field. If the function is named `describe_all`, its lines replace all
generic lines. The module can also contain `HELP`, a mapping from commands to help texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

import msgspec

from tutor.language import _
from tutor.lm.distribution import Distribution, Row, Token
from tutor.plain import words
from tutor.text import counted, one_line

Lines = dict[str, tuple[str, ...]]
Describe = Callable[[Any], Mapping[str, Sequence[str]]]

FEW = 8
"""The number of list items to print, unless the learner asks for all of them."""
MOST = 200
_IN_A_LINE = 24
"""The maximum number of short items to print on one line."""
_DEEPEST = 2
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
"""Internal fields of labs, which track requests and goals and mean nothing to a learner."""
_ONLY_IF_TRUE = frozenset(["running", "training", "playing"])
_COUNTED_FROM_ONE = ("layer", "head", "block")
"""The names of fields that contain an index from 0, which is printed counted from 1."""
_PERCENT = ("probab", "share", "certainty", "chance", "weight_of")


def describe(lab: str, state: Any, most: int = FEW) -> Lines:
    """Describe each field of a lab's state in one or more lines, leaving out empty fields.

    If a field contains a struct, such as the model's response, the fields of that struct are
    described as if they were fields of the state.
    """
    lines: Lines = dict(_fields(state, most))
    if (whole := _own(lab, "describe_all")) is not None:
        lines = {name: tuple(each) for name, each in whole(state).items()}
    elif (own := _own(lab, "describe")) is not None:
        lines |= {name: tuple(each) for name, each in own(state).items()}
    return {name: said for name, said in lines.items() if said}


def _fields(struct: Any, most: int, depth: int = 0) -> Iterable[tuple[str, tuple[str, ...]]]:
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.name in _BOOKKEEPING or (field.name == "left_out" and not value):
            continue
        if depth < _DEEPEST and _has_lists(value):
            yield from _fields(value, most, depth + 1)
        elif said := tuple(_field(field.name, value, most)):
            yield _name(field.name), said


def _has_lists(value: Any) -> bool:
    if not isinstance(value, msgspec.Struct) or isinstance(value, Distribution):
        return False
    inside = (getattr(value, field.name) for field in msgspec.structs.fields(value))
    return any(isinstance(each, list | tuple | Mapping) and len(each) > 2 for each in inside)


def changes(before: Lines, after: Lines) -> list[str]:
    """Return the lines of `after` that are not in `before`. Numbers of list items are ignored."""
    found: list[str] = []
    for name, lines in after.items():
        old = set(map(_unnumbered, before.get(name, ())))
        found += [line for line in lines if _unnumbered(line) not in old]
    return found


def _unnumbered(line: str) -> str:
    return line.lstrip("0123456789").removeprefix(": ")


def _own(lab: str, function: str) -> Describe | None:
    return cast("Describe | None", getattr(_module(lab), function, None))


def own_help(lab: str) -> Mapping[str, str]:
    """Return the help texts that the lab defines for its commands."""
    return cast("Mapping[str, str]", getattr(_module(lab), "HELP", {}))


def _module(lab: str) -> ModuleType | None:
    name = f"tutor.labs.{lab.replace('-', '_')}.plain"
    return import_module(name) if find_spec(name) is not None else None


def _name(field: str) -> str:
    return field.replace("_", " ")


def _field(name: str, value: Any, most: int) -> Iterable[str]:
    said = _name(name)
    said = said[0].upper() + said[1:]
    match value:
        case None | "" | b"" | () | []:
            return
        case False if name in _ONLY_IF_TRUE:
            return
        case bool():
            yield f"{said}: {_('yes') if value else _('no')}."
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
    if all(isinstance(each, int | float | str | bytes | Token) for each in values):
        count = max(most, _IN_A_LINE)
        shown = ", ".join(filter(None, (_inline(said, each) for each in values[:count])))
        more = (
            _(" and {count} more").format(count=len(values) - count) if len(values) > count else ""
        )
        if shown:
            yield f"{said}: {shown}{more}."
        return
    texts = [text for each in values if (text := _inline(said, each))]
    yield f"{said}: {counted(len(values), 'item')}."
    if all(text.endswith((" item", " items")) for text in texts):
        return  # for a list of lists, only the number of items is useful
    first = max(0, len(texts) - most) if hasattr(values[0], "step") else 0
    for number, text in enumerate(texts[first : first + most], first + 1):
        yield f"{number}: {words.ended(text)}"
    if len(texts) > most:
        yield _("{count} more are left out. Type state {name} to hear all.").format(
            count=len(texts) - most, name=said.lower()
        )


def _mapping(said: str, values: Mapping[Any, Any], most: int) -> Iterable[str]:
    for key, value in list(values.items())[:most]:
        head = f"{said} {_inline('', key)}"
        if isinstance(value, list | tuple):
            yield from _items(head, list(value), most)
        elif isinstance(value, msgspec.Struct) and _has_lists(value):
            for __, lines in _fields(value, most, _DEEPEST):
                yield from (f"{head}, {line[0].lower()}{line[1:]}" for line in lines[:1])
                yield from lines[1:]
        elif text := _inline(said, value):
            yield f"{head}: {words.ended(text)}"


def _inline(name: str, value: Any) -> str:
    """Convert a value to words within a sentence. Return "" if it means nothing to a learner."""
    match value:
        case None:
            return ""
        case bool():
            return _("yes") if value else _("no")
        case int():
            return words.number(value + (name in _COUNTED_FROM_ONE))
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
