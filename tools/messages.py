"""Extract the interface strings for translators. Babel calls this module (see `make messages`).

Besides calls of `_` and `ngettext`, it extracts texts that other functions translate when they show
them: labels and tooltips of keys, the texts of labs, goals and commands, the nouns of `counted`,
and errors.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple


class Arguments(NamedTuple):
    """The arguments of a call that are messages, by position and by name."""

    positions: tuple[int, ...] = ()
    names: frozenset[str] = frozenset()


DECLARED = {
    "Binding": Arguments((2,), frozenset({"description", "tooltip"})),
    "key": Arguments((2, 3), frozenset({"label", "tooltip"})),
    "tab": Arguments((1, 2), frozenset({"label", "tooltip"})),
    "pair": Arguments((2, 3), frozenset({"label", "tooltip"})),
    "letter_keys": Arguments((1,)),
    "scroll_keys": Arguments((0,), frozenset({"tooltip"})),
    "Command": Arguments((1,)),
    "MapPlace": Arguments((1,)),
    "Way": Arguments((0,)),
    "Group": Arguments((0,)),
    "goal": Arguments((1,)),
    "Goal": Arguments((1,), frozenset({"says"})),
    "Lab": Arguments((), frozenset({"title", "about", "task"})),
}
"""The calls that declare messages, which other code translates when it shows them."""

_NAMES_OF_VIEWS = ("View", "VIEWS", "Part", "Family", "Verdict", "NAMED", "WEEKDAYS")
"""The constants with the names of a lab's views or rows, which are also values of its state."""

_ERROR = re.compile(r"[A-Z]\w*(Error|Missing|Failed|Damaged|Unsupported|Full|NotFound|Login)")
"""The names of `TutorError` and its subclasses, which translate the texts that they are given."""
_NOT_SHOWN = ("ValueError", "TypeError", "RuntimeError", "OSError", "AssertionError")

Message = tuple[int, str, str | tuple[str, str], list[str]]
"""A line number, the name of a function, one message or a pair of them, and comments."""


def extract(
    file: IO[bytes], keywords: object, comment_tags: object, options: object
) -> Iterator[Message]:
    """Yield the messages of a Python file. Babel defines and passes the parameters."""
    for node in ast.walk(ast.parse(file.read())):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield from _of_call(node, name)
            case ast.ClassDef(keywords=[*given]):
                for each in given:
                    if each.arg == "title" and (text := _text(each.value)):
                        yield node.lineno, "_", text, []
                    if each.arg == "tag_field" and _text(each.value) == "do":
                        yield node.lineno, "_", _summary(node), []
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name in _NAMES_OF_VIEWS and node.value is not None:
                    yield from _each(node.lineno, list(_constants(node.value)))
            case ast.FunctionDef(name="scroll_keys", args=ast.arguments(defaults=[*defaults])):
                yield from _each(node.lineno, defaults)


def _summary(node: ast.ClassDef) -> str:
    """Return the summary of an action of a lab, which plain mode shows in its help."""
    return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())


def _of_call(call: ast.Call, name: str) -> Iterator[Message]:
    texts = [_text(each) for each in call.args]
    match name, texts:
        case "_", [str(text)] if core := text.strip():
            yield call.lineno, "_", core, []
        case "ngettext", [str(singular), str(plural), *_]:
            yield call.lineno, "ngettext", (singular, plural), []
        case "counted", [_, *_]:
            for noun in _texts(call.args[1]):
                yield call.lineno, "ngettext", (f"{{count}} {noun}", f"{{count}} {noun}s"), []
    if _ERROR.fullmatch(name) and name not in _NOT_SHOWN:
        yield from _each(call.lineno, call.args[:2])
    if declared := DECLARED.get(name):
        given = [call.args[at] for at in declared.positions if at < len(texts)]
        yield from _each(call.lineno, given)
        yield from _each(
            call.lineno, [each.value for each in call.keywords if each.arg in declared.names]
        )


def _constants(value: ast.expr) -> Iterator[ast.expr]:
    return (each for each in ast.walk(value) if isinstance(each, ast.Constant))


def _each(line: int, values: list[ast.expr]) -> Iterator[Message]:
    for value in values:
        for text in _texts(value):
            yield line, "_", text, []


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the constant text of an expression, or both texts of a conditional expression."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif text := _text(node):
        yield text


def _text(node: Any) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
    return None
