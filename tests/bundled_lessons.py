"""The lessons of the bundled course and their translations, for tests with one case per lesson.

Such tests are collected by the names of the files. Parsing the lessons takes seconds, which every
test process would spend even if it runs none of these tests.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tutor import paths
from tutor.authoring.lint import look_over
from tutor.course.folder import languages, lesson_files

if TYPE_CHECKING:
    from tutor.authoring.lint import Sound

_FOLDER = paths.lessons_folder()
NAMES = [
    file.relative_to(_FOLDER).as_posix()
    for folder in (_FOLDER, *map(_FOLDER.joinpath, languages(_FOLDER)))
    for file in lesson_files(folder)
]


def sound_lesson(name: str) -> Sound:
    """Return the lesson in the file `name`, one of `NAMES`."""
    return _sound_lessons()[name]


@cache
def _sound_lessons() -> dict[str, Sound]:
    lessons = look_over([_FOLDER]).lessons
    return {sound.path.relative_to(_FOLDER).as_posix(): sound for sound in lessons}
