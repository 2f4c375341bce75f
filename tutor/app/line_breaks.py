"""Keep a number and its unit, such as “50 %”, on the same line.

Textual breaks lines at any whitespace, even at a no-break space. It asks one function where to
break, for all texts of the app: lessons, tasks, questions, notices. That function is replaced here.
"""

from __future__ import annotations

from textual import content

from tutor.text import with_joined_units

_divide = getattr(content, "divide_line", None)
"""Textual's function, or None in a version that breaks lines in another way.

With such a version, units are separated from their numbers, and a test of this module fails.
"""


def keep_units_with_numbers() -> None:
    """Change where Textual breaks lines, for every app in this process."""
    if _divide is not None:
        content.divide_line = _divided  # type: ignore[attr-defined]  # imported there


def _divided(text: str, width: int, fold: bool = True) -> list[int]:
    """Return the indexes at which to break a line of text into lines of `width` columns."""
    assert _divide is not None
    found: list[int] = _divide(with_joined_units(text), width, fold=fold)
    return found
