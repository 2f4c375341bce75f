"""What can be said of a line of Python without running it.

Code from a model, or from a learner, is never executed and never imported here. It is parsed, by
`ast.parse`, and the names on a line are looked for in three places: in the file itself, among the
built-in names of Python, and, where a module of the standard library was imported, in a list of
what that module has (`assets/stdlib-names.json`, made by `tools/stdlib_names.py`).

That finds what is no Python and what does not exist. It says nothing of whether a line does what
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
    """What was found on one line. `trouble` says why it does not parse, and is empty where it
    does; `above` that the trouble stands on a line before it. `missing` are names that are in none
    of the three places, `known` those that are in one; `open_` are attributes of values, of which
    nobody knows the type before the code runs."""

    trouble: str = ""
    above: bool = False
    missing: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    open_: tuple[str, ...] = ()

    @property
    def caught(self) -> bool:
        """Whether something is wrong with the line itself."""
        return bool(self.missing) or (bool(self.trouble) and not self.above)


class _StandardLibrary(msgspec.Struct, frozen=True):
    """The public names of some modules, and the version of Python that they were read from."""

    python: str
    modules: dict[str, frozenset[str]]


def check(text: str, row: int) -> Verdict:
    """Line `row` of `text`, counted from 0. Lines below it may be unfinished: they count only
    where they parse, for the names that they define."""
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
    """Whether two lines are the same to Python: spaces, brackets and comments aside."""
    trees = [_parsed(line.strip()) for line in (one, other)]
    if any(isinstance(tree, str) for tree in trees):
        return False
    first, second = (ast.dump(tree) for tree in trees if isinstance(tree, ast.Module))
    return first == second


@cache
def standard_library() -> dict[str, frozenset[str]]:
    """The public names of the modules on our list, by module."""
    data = (paths.assets_folder() / _NAMES_OF_MODULES).read_bytes()
    return msgspec.json.decode(data, type=_StandardLibrary).modules


def _parsed(text: str) -> ast.Module | str:
    """The tree of a text, with a body put where the last line opens a block; or why there is
    none, in the words of Python's own parser."""
    last = text.rstrip().rsplit("\n", 1)[-1]
    indent = " " * (len(last) - len(last.lstrip()) + 1)
    said = ""
    for written in (text, f"{text}\n{indent}pass"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd escapes in strings: theirs, not ours
                return ast.parse(written)
        except SyntaxError as error:
            said = said or error.msg
        except (ValueError, RecursionError, MemoryError) as error:
            said = said or str(error) or "it is too deeply nested"
    return said


def _defined(tree: ast.Module) -> tuple[set[str], dict[str, str], list[str]]:
    """The names that a file gives to something; the modules that it imports, by the name they
    have there; and what it takes from modules, as `module.name`."""
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
    """The module or built-in type that an expression names, and what is in it, None where it is
    not on our list; no name where it is something else, such as a value."""
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
    """Whether a module has that name; of modules that are not on the list nothing is known."""
    module, _, name = taken.rpartition(".")
    names = standard_library().get(module)
    return names is None or name in names


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
