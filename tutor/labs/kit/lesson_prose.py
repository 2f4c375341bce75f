"""Provides the prose of the course, which every installation includes."""

from __future__ import annotations

import re
from functools import lru_cache

from tutor.course.catalogue import load_course

_NO_PROSE = re.compile(r"^```.*?^```|^\|[^\n]*", re.MULTILINE | re.DOTALL)


@lru_cache(maxsize=1)
def lesson_prose() -> tuple[str, ...]:
    """Return the text of all screens of the bundled lessons, without code, diagrams and tables."""
    course = load_course()
    lessons = (course.lesson(outline.id) for outline in course.outlines)
    return tuple(
        _NO_PROSE.sub("", screen.body) for lesson in lessons if lesson for screen in lesson.screens
    )
