"""Include a function, method or class of this package in a lesson.

Lessons can therefore show the code that really runs. The source file is read as text and not
imported.
"""

import ast
import re
import textwrap
from functools import lru_cache
from pathlib import Path

from tutor.course.reading.place import Place, control_character

LONGEST = 40
"""The maximum number of lines of included code.

The linter warns much earlier, because small terminals show fewer lines.
"""

PACKAGE = Path(__file__).resolve().parents[2]
_REFERENCE = re.compile(r"(tutor(?:/[a-z_][a-z0-9_]*)+\.py)#([A-Za-z_][\w.]*)", re.ASCII)

_parsed = lru_cache(maxsize=16)(ast.parse)

_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def code_block(text: str, place: Place, package: Path = PACKAGE) -> list[str]:
    """Return a Markdown code block with the code that an `include` block names.

    `text` is the content of the `include` block, and `place` is the position of its first line.
    Raises `LessonError`.
    """
    match = _REFERENCE.fullmatch(text.strip())
    if not match:
        raise place.error(
            f"{text.strip()[:60]!r} does not name any code.",
            "Write one line such as `tutor/lm/sampling.py#entropy_bits`, or `...#Class.method`.",
        )
    lines = _lines_of(match[1], match[2], place, package)
    if len(lines) > LONGEST:
        raise place.error(
            f"{match[2]} has {len(lines)} lines; at most {LONGEST} can be shown.",
            "Choose a shorter function or class.",
        )
    if bad := control_character("\n".join(lines)):
        raise place.error(
            f"The code contains the character U+{ord(bad):04X}.", "Include other code."
        )
    ticks = max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, ticks + 1)
    return [f"{fence}python", *lines, fence]


def _lines_of(path: str, name: str, place: Place, package: Path) -> list[str]:
    """Return the source code of `name`, dedented and without its docstring."""
    file = (package.parent / path).resolve()
    if not file.is_relative_to(package) or not file.is_file():
        raise place.error(f"There is no file {path}.", "Check the path in the repository.")
    source = file.read_text(encoding="utf-8")
    found = _find(_parsed(source), name.split("."))
    if found is None:
        raise place.error(
            f"{path} has no {name[:60]!r}.",
            "Name a function, class or `Class.method` in this file.",
        )
    lines = source.split("\n")
    first = min([found.lineno, *(each.lineno for each in found.decorator_list)])
    kept = list(range(first, (found.end_lineno or first) + 1))
    if ast.get_docstring(found, clean=False) is not None and len(found.body) > 1:
        doc = found.body[0]
        after = doc.end_lineno or doc.lineno
        # Drop the blank lines after the docstring.
        while after < len(lines) and not lines[after].strip():
            after += 1
        kept = [line for line in kept if not doc.lineno <= line <= after]
    shown = [lines[line - 1] for line in kept]
    return textwrap.dedent("\n".join(shown)).strip("\n").split("\n")


def _find(tree: ast.Module, path: list[str]) -> _Named | None:
    """Return the syntax node of a definition with a dotted name, or None."""
    inside: ast.Module | _Named = tree
    for name in path:
        named = (each for each in inside.body if isinstance(each, _Named) and each.name == name)
        found = next(named, None)
        if found is None:
            return None
        inside = found
    return inside if isinstance(inside, _Named) else None
