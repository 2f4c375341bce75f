"""The text of the bundled lessons, as training data and as sample text."""

from __future__ import annotations

import re
from functools import lru_cache

from tutor.course.catalogue import load_course

_NO_PROSE = re.compile(r"^```.*?^```|^\|[^\n]*", re.MULTILINE | re.DOTALL)


@lru_cache(maxsize=1)
def lesson_prose() -> tuple[str, ...]:
    """Return the text of all bundled lessons, without code, diagrams and tables."""
    course = load_course()
    lessons = (course.lesson(outline.id) for outline in course.outlines)
    return tuple(
        _NO_PROSE.sub("", screen.body) for lesson in lessons if lesson for screen in lesson.screens
    )
