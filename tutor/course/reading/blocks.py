"""Decode the YAML in a lesson file: front matter, labs and questions.

Every value is first parsed as plain text and then converted to the type of its field, so the text
of a choice can be `no` or `0.5`. Tags, anchors and aliases are rejected, because they could create
objects or expand to huge texts.
"""

import difflib
import re
from typing import Any, TypeVar, get_args

import msgspec
import yaml

from tutor.course.lesson import GOALS
from tutor.course.model_value import Value
from tutor.course.prediction import PREDICTION_TYPES
from tutor.course.questions.question import QUESTION_TYPES
from tutor.course.reading.place import Place, control_character
from tutor.errors import LessonError

T = TypeVar("T")

_DEPTH = 8
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # PyYAML's C loader is ten times as fast.

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?\Z", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<field>.*)`", re.DOTALL)
_KNOWN_NAMES = {
    "type": [str(kind.__struct_config__.tag) for kind in (*QUESTION_TYPES, *PREDICTION_TYPES)],
    "goal": [str(kind.__struct_config__.tag) for kind in GOALS],
    "kind": ["stepper", "guess", "chat"],
    "value": [*get_args(Value), "cases", "right", "share"],
    "of": ["cases", "bm25", "record"],
}


def decode(text: str, kind: type[T] | Any, place: Place) -> T:
    """Decode the YAML in `text` into an object of type `kind`. Raises `LessonError`.

    `place` is the position of the first line of `text` in the lesson file.
    """
    node = _compose(text, place)
    data = _data(node, place)
    try:
        decoded: T = msgspec.convert(data, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), data, node, place) from error
    return decoded


def _compose(text: str, place: Place) -> yaml.Node:
    """Return `text` as a tree of YAML nodes. Raises `LessonError`.

    The depth is checked before PyYAML builds the tree, because it builds the tree recursively.
    """
    try:
        _refuse_what_grows(text, place)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise _not_yaml(error, place) from error
    if node is None:
        raise place.error("This block is empty.", "Write its fields as YAML, or remove it.")
    return node


def _refuse_what_grows(text: str, place: Place) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        here = place.below(event.start_mark.line if event.start_mark else 0)
        if getattr(event, "anchor", None) is not None:
            raise here.error("YAML anchors and aliases are not allowed.", "Write out the value.")
        if (tag := getattr(event, "tag", None)) is not None:
            raise here.error(f"The YAML tag {str(tag)[:40]!r} is not allowed.", "Remove the tag.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH:
            raise here.error(f"This is nested more than {_DEPTH} levels deep.", "Use fewer levels.")


def _not_yaml(error: yaml.YAMLError, place: Place) -> LessonError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    return place.below(mark.line if mark else 0).error(
        f"This is not valid YAML: {problem}.",
        "Check the indentation. Text that contains ': ' or starts with a special character must"
        " follow '>-' or be in quotes.",
    )


def _data(node: yaml.Node, place: Place) -> Any:
    """Convert a tree of YAML nodes, whose depth was checked, to lists, dicts and strings."""
    here = place.below(node.start_mark.line)
    if isinstance(node, yaml.SequenceNode):
        return [_data(each, place) for each in node.value]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            name = key.value
            if not isinstance(name, str):
                raise here.error("A field name must be one word.", "Write `name: value`.")
            if name in mapping:
                raise place.below(key.start_mark.line).error(
                    f"The field {name[:40]!r} appears twice.", "Remove one of them."
                )
            mapping[name] = _data(value, place)
        return mapping
    if bad := control_character(node.value):
        raise here.error(
            f"The character U+{ord(bad):04X} could control the terminal.", "Remove it."
        )
    return node.value


def _explained(message: str, data: Any, node: yaml.Node, place: Place) -> LessonError:
    """Convert an error message of msgspec to a message for authors of lessons."""
    match = _AT.match(message)
    what, path = (match["what"], match["path"] or "$") if match else (message, "$")
    here, key, _ = _follow(path, data, node)
    if unknown := _UNKNOWN_FIELD.search(what):
        return place.below(_line_of_key(here, unknown["field"])).error(
            f"Unknown field {unknown['field'][:40]!r}.",
            "Correct its name or remove it; lessons/README.md lists the fields.",
        )
    line = place.below(here.start_mark.line)
    if what.startswith(("Invalid value", "Invalid enum value")) and key in _KNOWN_NAMES:
        return line.error(
            f"Unknown {key} {str(here.value)[:40]!r}.",
            _suggestion(str(here.value), _KNOWN_NAMES[key]),
        )
    if what.startswith("Object missing required field"):
        field = what.rsplit("`", 2)[1]
        return line.error(f"The field `{field}` is missing.", f"Add `{field}: ...`.")
    subject = f"`{key}`: " if key else ""
    return line.error(
        f"{subject}{_in_plain_words(what[:300])}.",
        "Correct it; lessons/README.md shows the format.",
    )


def _follow(path: str, data: Any, node: yaml.Node) -> tuple[yaml.Node, str, Any]:
    """Return the node at a path such as "$.choices[0].why", the name of its field, and its data."""
    name = ""
    for step in _STEP.finditer(path):
        if step["index"] is not None and isinstance(node, yaml.SequenceNode):
            node, data = node.value[int(step["index"])], data[int(step["index"])]
        elif isinstance(node, yaml.MappingNode) and step["key"] in data:
            name = step["key"]
            node = next(value for key, value in node.value if key.value == name)
            data = data[name]
    return node, name, data


def _line_of_key(node: yaml.Node, field: str) -> int:
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if key.value == field:
                return int(key.start_mark.line)
    return int(node.start_mark.line)


def _suggestion(written: str, known: list[str]) -> str:
    close = difflib.get_close_matches(written, known, n=1)
    meant = f"Did you mean `{close[0]}`? " if close else ""
    return f"{meant}Choose one of {', '.join(known)}."


def _in_plain_words(what: str) -> str:
    words = {
        "`array`": "a list",
        "`object`": "named fields",
        "`str`": "text",
        "`int`": "a whole number",
        "`float`": "a number",
        "`bool`": "true or false",
    }
    for technical, plain in words.items():
        what = what.replace(technical, plain)
    if "matching regex" in what:
        return "expected lowercase letters, digits and single hyphens, for example `top-token`"
    return what[0].lower() + what[1:]
