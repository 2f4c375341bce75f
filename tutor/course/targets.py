"""Find the target of a link: a glossary term, or a screen of a lesson."""

import msgspec

from tutor.course.catalogue import Course
from tutor.course.links import GLOSSARY, split


class TermTarget(msgspec.Struct, frozen=True):
    id: str


class ScreenTarget(msgspec.Struct, frozen=True):
    """A screen of a lesson. An empty `screen_id` means the first screen."""

    lesson_id: str
    screen_id: str


def target(href: str, course: Course, lesson_id: str = "") -> TermTarget | ScreenTarget | None:
    """Return the target of a link.

    `lesson_id` is the lesson that contains the link, if any. The result is None if the link leads
    to a web page, or if its target does not exist.
    """
    parts = split(href)
    if parts is None:
        return None
    file, anchor = parts
    if file == GLOSSARY:
        return TermTarget(anchor) if anchor in course.glossary else None
    if file:
        outline = next((each for each in course.outlines if each.file == file), None)
    else:
        outline = course.outline(lesson_id)
    if outline is None or (anchor and anchor not in {each.id for each in outline.screens}):
        return None
    return ScreenTarget(outline.id, anchor)
