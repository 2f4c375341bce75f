"""Enforce the layout: which package may import which, and how large a folder or a class may be.

CONTRIBUTING.md explains the layers. The import contracts are in `pyproject.toml`; the rules that a
contract cannot state are here.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import grimp

from tutor.labs.kit import registry

ROOT = Path(__file__).parent.parent
LARGEST_FOLDER = 25
LONGEST_CLASS = 300


def test_import_contracts() -> None:
    """Run the linter in a separate process, because it silences every logger."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_no_lab_imports_another_and_the_kit_imports_no_lab() -> None:
    crossing = [
        (one, other)
        for one, other in imports()
        if (of := lab_of(other)) is not None
        and one.startswith("tutor.labs.")
        and of not in (lab_of(one), "kit")
    ]
    assert crossing == []


def test_every_lab_has_its_three_parts() -> None:
    for name in registry.names():
        for part in ("lab", "backend", "view"):
            assert f"tutor.labs.{name.replace('-', '_')}.{part}" in graph().modules


def test_no_import_cycle_outside_the_app() -> None:
    found = in_cycles((one, other) for one, other in imports() if not in_app(one, other))
    assert sorted(found) == []


def test_no_import_cycle_between_the_rooms_of_the_app() -> None:
    """A room is a folder of the app, or a module beside these folders."""
    rooms = {(room(one), room(other)) for one, other in imports() if in_app(one) and in_app(other)}
    assert sorted(in_cycles(pair for pair in rooms if pair[0] != pair[1])) == []


def test_no_folder_holds_too_many_modules() -> None:
    modules = sources("tutor", "tests", "tools")
    count = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules)
    assert {folder: n for folder, n in count.items() if n > LARGEST_FOLDER} == {}


def test_no_class_is_too_long() -> None:
    long = set()
    for path in sources("tutor"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and length(node) > LONGEST_CLASS:
                long.add(f"{module}.{node.name}")
    assert sorted(long) == []


def test_cycles_are_found() -> None:
    chain = [*pairwise("abca"), *pairwise("cdef"), ("d", "d"), *pairwise("fxf")]
    assert in_cycles(chain) == {"a", "b", "c", "d", "f", "x"}


@cache
def graph() -> grimp.ImportGraph:
    """Return which module imports which, with imports in functions and under TYPE_CHECKING."""
    return grimp.build_graph("tutor", cache_dir=None)


def imports() -> Iterator[tuple[str, str]]:
    for module in sorted(graph().modules):
        for imported in sorted(graph().find_modules_directly_imported_by(module)):
            yield module, imported


def lab_of(module: str) -> str | None:
    """Return the folder of `tutor.labs` that the module belongs to."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["tutor", "labs"] and len(parts) > 2 else None


def in_app(*modules: str) -> bool:
    return all(module.startswith("tutor.app.") for module in modules)


def room(module: str) -> str:
    return ".".join(module.split(".")[:3])


def in_cycles(arrows: Iterable[tuple[str, str]]) -> set[str]:
    """Return the modules or folders that can be reached from themselves."""
    targets: dict[str, set[str]] = {}
    for one, other in arrows:
        targets.setdefault(one, set()).add(other)
    return {start for start in targets if start in reached(start, targets)}


def reached(start: str, targets: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    left = [start]
    while left:
        new = targets.get(left.pop(), set()) - seen
        seen |= new
        left += new
    return seen


def sources(*roots: str) -> list[Path]:
    return [
        path
        for root in roots
        for path in sorted((ROOT / root).rglob("*.py"))
        if path.name != "__init__.py"
    ]


def length(node: ast.ClassDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1
