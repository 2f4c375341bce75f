"""Create a skeleton lesson, with an example of each part, that can be opened and checked."""

import re
from pathlib import Path
from string import Template

from tutor.course.catalogue import load_course
from tutor.course.folder import lesson_files
from tutor.errors import UsageError
from tutor.text import safe

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER = re.compile(r"\d+")
_LONGEST_ID = 40  # The ids of screens, labs and questions begin with this id, so they are longer.

_TEMPLATE = Path(__file__).with_name("skeleton.md")
"""The text of the lesson, with the placeholders `$number`, `$title` and `${id}`."""


def new_lesson(lesson_id: str, folder: Path) -> Path:
    """Create a skeleton lesson in `folder` with the next free number, and return its file.

    Raises `UsageError` if the id is invalid or already used, and `LessonError` if the folder cannot
    be read.
    """
    if not _ID.fullmatch(lesson_id) or len(lesson_id) > _LONGEST_ID:
        raise UsageError(
            f"{lesson_id!r} is not a valid lesson id.",
            f"Use up to {_LONGEST_ID} lowercase letters and digits, joined by single hyphens.",
        )
    course = load_course(folder)
    if course.outline(lesson_id) is not None:
        raise UsageError(f"The lesson {lesson_id!r} already exists.", "Choose another id.")
    numbers = [outline.number for outline in course.outlines]
    begins = [_NUMBER.match(file.name) for file in lesson_files(folder)]
    numbers += [int(found[0]) for found in begins if found]
    number = max(numbers, default=0) + 1
    file = folder / f"{number:02}-{lesson_id}.md"
    title = lesson_id.replace("-", " ").capitalize()
    template = Template(_TEMPLATE.read_text(encoding="utf-8"))
    text = template.substitute(id=lesson_id, number=number, title=title)
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(
            f"{safe(str(file))} cannot be written ({error.strerror}).", "Choose another folder."
        ) from error
    return file
