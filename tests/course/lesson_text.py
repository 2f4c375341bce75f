"""Parts of lesson files, combined by the tests of the parser and of the linter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tutor.authoring.lint import Finding, look_over
from tutor.course.facts import Fact
from tutor.course.lesson import Lesson
from tutor.course.reading.parse import parse_bytes

FRONT = """---
id: small
number: 7
version: 2
title: A small lesson
summary: Just enough.
learned:
  - Texts can be short.
  - Lessons can be, too.
---
"""

SCREEN = """
## First screen {#first}

Some *text*.
"""

LAB = """
```lab
id: sure
kind: stepper
task: Find a sure one.
prompt: Once upon a
goals:
  - goal: top-above
    probability: 0.9
```
"""

SINGLE = """
```question
id: pick
type: single
ask: Which?
hint: Not the other.
why: So it is.
choices:
  - text: yes
    why: This one.
    right: true
  - text: no
    why: Not this one.
```
"""

SMALL = FRONT + SCREEN + LAB + "\nMore text.\n" + SINGLE


def line_of(text: str, part: str) -> int:
    """Return the line, counted from 1, of the first word of `part` in `text`.

    A line break before the word means that it begins its line.
    """
    start = text.index(part) + len(part) - len(part.lstrip("\n"))
    return text[:start].count("\n") + 1


def parse_lesson(text: str, where: str, facts: Sequence[Fact] = ()) -> Lesson:
    """Return the lesson in `text`. Raises the first `LessonError`."""
    return parse_bytes(text.encode(), where, facts)


def lint(paths: Sequence[Path]) -> list[Finding]:
    """Return the linter's findings about lesson files, or about all lessons in folders."""
    return list(look_over(paths).findings)
