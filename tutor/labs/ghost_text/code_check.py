"""Checks a line of Python without running it.

Code from a model or from a learner is never executed and never imported here. It is parsed with
`ast.parse`, and the names on a line are looked up in three places: in the file itself, among the
built-in names of Python, and, for an imported module of the standard library, in a list of that
module's names (`assets/stdlib-names.json`, made by `tools/stdlib_names.py`).

The check finds syntax errors and names that don't exist. It cannot tell whether a line does what
it should.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Mapping, Set
from functools import cache

import msgspec

from tutor import paths

_NAMES_OF_MODULES = "stdlib-names.json"
_BUILT_IN = frozenset(dir(builtins))


class Verdict(msgspec.Struct, frozen=True):
    """The result of checking one line.

    `trouble` is the parser's error, or empty if the line parses; `above` tells whether the error is
    on an earlier line. `missing` are names that are in none of the three places, `known` those that
    are in one. `open_` are attributes of values, whose types are unknown until the code runs.
    """

    trouble: str = ""
    above: bool = False
    missing: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    open_: tuple[str, ...] = ()

    @property
    def caught(self) -> bool:
        """True if the line itself has an error."""
        return bool(self.missing) or (bool(self.trouble) and not self.above)


class _StandardLibrary(msgspec.Struct, frozen=True):
    """The public names of some modules, and the version of Python that they were taken from."""

    python: str
    modules: dict[str, frozenset[str]]


def check(text: str, row: int) -> Verdict:
    """Return what is wrong with line `row` of `text`, counted from 0.

    Lines below it may be unfinished: if they parse, the names that they define count.
    """
    lines = text.split("\n")
    tree = _parsed("\n".join(lines[: row + 1]))
    if isinstance(tree, str):
        above = row > 0 and isinstance(_parsed("\n".join(lines[:row])), str)
        return Verdict(trouble=tree, above=above)
    whole = _parsed(text)
    defined, imported, from_modules = _defined(tree if isinstance(whole, str) else whole)
    missing: list[str] = []
    known: list[str] = []
    open_: list[str] = []
    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) != row + 1:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            here = node.id in defined or node.id in _BUILT_IN
            (known if here else missing).append(node.id)
        elif isinstance(node, ast.Attribute):
            owner, names = _owner(node.value, imported, defined)
            if owner is None:
                open_.append(f".{node.attr}")
            elif names is not None:
                where = known if node.attr in names else missing
                where.append(f"{owner}.{node.attr}")
        elif isinstance(node, ast.ImportFrom):
            missing += [name for name in from_modules if not _is_there(name)]
    return Verdict(missing=_once(missing), known=_once(known), open_=_once(open_))


def same_code(one: str, other: str) -> bool:
    """Return whether Python parses two lines alike, apart from spaces, parentheses and comments."""
    trees = [_parsed(line.strip()) for line in (one, other)]
    if any(isinstance(tree, str) for tree in trees):
        return False
    first, second = (ast.dump(tree) for tree in trees if isinstance(tree, ast.Module))
    return first == second


@cache
def standard_library() -> dict[str, frozenset[str]]:
    """Return the public names of the modules on our list, by module."""
    data = (paths.assets_folder() / _NAMES_OF_MODULES).read_bytes()
    return msgspec.json.decode(data, type=_StandardLibrary).modules


def _parsed(text: str) -> ast.Module | str:
    """Return the syntax tree of a text, or the parser's error message if there is none.

    If the last line opens a block, a body is added to it.
    """
    last = text.rstrip().rsplit("\n", 1)[-1]
    indent = " " * (len(last) - len(last.lstrip()) + 1)
    said = ""
    for written in (text, f"{text}\n{indent}pass"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Odd escapes in strings are the learner's choice.
                return ast.parse(written)
        except SyntaxError as error:
            said = said or error.msg
        except (ValueError, RecursionError, MemoryError) as error:
            said = said or str(error) or "too deeply nested"
    return said


def _defined(tree: ast.Module) -> tuple[set[str], dict[str, str], list[str]]:
    """Return the names that a file defines, the modules that it imports, and names from modules.

    The modules are keyed by their names in the file. Names from modules have the form
    `module.name`.
    """
    names: set[str] = set()
    modules: dict[str, str] = {}
    taken: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.arg():
                names.add(node.arg)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case ast.ExceptHandler(name=str(name)):
                names.add(name)
            case ast.Import():
                for alias in node.names:
                    called = alias.asname or alias.name.split(".")[0]
                    modules[called] = alias.name if alias.asname else called
                    names.add(called)
            case ast.ImportFrom():
                names |= {alias.asname or alias.name for alias in node.names}
                taken += [f"{node.module}.{alias.name}" for alias in node.names]
    return names, modules, taken


def _owner(
    value: ast.expr, imported: Mapping[str, str], defined: Set[str]
) -> tuple[str | None, Set[str] | None]:
    """Return the module or built-in type that an expression names, and the names in it.

    The names are None for a module that is not on our list. Both are None for any other
    expression, such as a value.
    """
    path = ast.unparse(value) if isinstance(value, ast.Name | ast.Attribute) else ""
    first, dot, rest = path.partition(".")
    if first in imported:
        module = imported[first] + dot + rest
        names = standard_library().get(module)
        return (module, names) if names is not None or not rest else (None, None)
    if path in _BUILT_IN - defined:
        return path, frozenset(dir(getattr(builtins, path)))
    return None, None


def _is_there(taken: str) -> bool:
    """Return whether a module has that name. Modules that are not on our list may have any name."""
    module, _, name = taken.rpartition(".")
    names = standard_library().get(module)
    return names is None or name in names


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
