"""Check a line of Python without running it.

Code from the model or from the learner is never executed or imported. It is parsed with
`ast.parse`, and the names on the line are looked up. A name exists if it is defined in the file, or
if it is built in. For imported modules of the standard library, there is a list of each module's
names: `assets/stdlib-names.json`, which `tools/stdlib_names.py` generates.

The check finds syntax errors, and names that don't exist. It can't tell whether a line is correct.
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

    Attributes:
        trouble: The parser's error message, or "" if the line parses.
        above: True if the error is on an earlier line.
        missing: The names on the line that don't exist.
        known: The names on the line that exist.
        open_: Attributes that can't be checked, because they belong to values whose types are
            unknown until the code runs.
    """

    trouble: str = ""
    above: bool = False
    missing: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    open_: tuple[str, ...] = ()

    @property
    def caught(self) -> bool:
        """True if the check found an error on the line itself."""
        return bool(self.missing) or (bool(self.trouble) and not self.above)


class _StandardLibrary(msgspec.Struct, frozen=True):
    """The public names of some modules, collected with the Python version `python`."""

    python: str
    modules: dict[str, frozenset[str]]


def check(text: str, row: int) -> Verdict:
    """Check line `row` of `text`. Lines are counted from 0.

    The lines below it may be incomplete. If the whole text parses, names that are defined below the
    line count as existing.
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
    """Return True if two lines are equal except for spaces, parentheses and comments."""
    trees = [_parsed(line.strip()) for line in (one, other)]
    if any(isinstance(tree, str) for tree in trees):
        return False
    first, second = (ast.dump(tree) for tree in trees if isinstance(tree, ast.Module))
    return first == second


@cache
def standard_library() -> dict[str, frozenset[str]]:
    """Return the public names of each listed module of the standard library."""
    data = (paths.assets_folder() / _NAMES_OF_MODULES).read_bytes()
    return msgspec.json.decode(data, type=_StandardLibrary).modules


def _parsed(text: str) -> ast.Module | str:
    """Parse the text. Return its syntax tree, or the parser's error message.

    If the last line opens a block, `pass` is added as the body of the block.
    """
    last = text.rstrip().rsplit("\n", 1)[-1]
    indent = " " * (len(last) - len(last.lstrip()) + 1)
    said = ""
    for written in (text, f"{text}\n{indent}pass"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Suppress warnings about invalid escapes.
                return ast.parse(written)
        except SyntaxError as error:
            said = said or error.msg
        except (ValueError, RecursionError, MemoryError) as error:
            said = said or str(error) or "too deeply nested"
    return said


def _defined(tree: ast.Module) -> tuple[set[str], dict[str, str], list[str]]:
    """Return the names that a file defines, its imported modules, and its imported names.

    The modules are a mapping: from the name that the file uses to the module's full name. An
    imported name has the form `module.name`.
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
    """Return the module or built-in type to which an expression refers, and the names in it.

    The names are None if the module is not listed. Both results are None for any other expression,
    such as a variable.
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
    """Return True if an imported name exists.

    If the module is not listed, all of its names count as existing.
    """
    module, _, name = taken.rpartition(".")
    names = standard_library().get(module)
    return names is None or name in names


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
