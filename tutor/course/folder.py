"""List and read the files in a course folder, without following links out of it."""

import re
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from tutor.course.reading.place import MAXIMUM_BYTES, Place
from tutor.errors import LessonError
from tutor.language import has_catalog
from tutor.text import safe

FACTS = "facts.yaml"
"""The name of the file with a course's facts, in the same folder as the lessons."""

_FILE_NAME = re.compile(r"[0-9].*\.md", re.DOTALL)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)


def lesson_files(folder: Path) -> list[Path]:
    """Return the lesson files in a folder, sorted by name. Raises `LessonError`."""
    try:
        return sorted(file for file in folder.iterdir() if _FILE_NAME.fullmatch(file.name))
    except OSError as error:
        raise LessonError(
            f"The folder {safe(str(folder))} cannot be read ({_reason(error)}).",
            "Check the path and its permissions.",
        ) from error


def translations_folder(folder: Path, language: str) -> Path:
    """Return the folder with the lessons in `language`, a code such as "de".

    If only the interface is translated into this language, the folder may not exist. Raises
    `LessonError` if neither the interface nor any lesson is translated.
    """
    found = languages(folder)
    if language not in found and not has_catalog(language):
        raise LessonError(
            f"This course has no lessons in the language {safe(language)[:40]!r}.",
            f"Its translations: {', '.join(found) or 'none'}.",
        )
    return folder / language


def languages(folder: Path) -> list[str]:
    """Return the codes of the languages into which a course is translated."""
    try:
        inside = [each.name for each in folder.iterdir() if _LANGUAGE.fullmatch(each.name)]
        return sorted(name for name in inside if lesson_files(folder / name))
    except (OSError, LessonError):
        return []


def original_folder(folder: Path) -> Path | None:
    """Return the course folder whose lessons are translated in `folder`, or None.

    Raises `LessonError` if a folder cannot be read.
    """
    if not _LANGUAGE.fullmatch(folder.name):
        return None
    names = {file.name for file in lesson_files(folder)}
    course = folder.resolve().parent
    return course if any(file.name in names for file in lesson_files(course)) else None


def read_file(file: Path, where: str) -> bytes:
    """Return the content of a lesson file, cut off shortly after the maximum size.

    `where` is the name that errors show for the file. Raises `LessonError` if the file cannot be
    read, or if it is a symbolic link that points outside the folder.
    """
    place = Place(where)
    try:
        mode = file.lstat().st_mode
        if S_ISLNK(mode):
            if not file.resolve().is_relative_to(file.parent.resolve()):
                raise place.error(
                    "The file is a link that leads out of its folder.",
                    "Replace the link with a copy of the file.",
                )
            mode = file.stat().st_mode
        if not S_ISREG(mode):
            raise place.error("This is not a regular file.", "Replace it with a text file.")
        with file.open("rb") as stream:
            return stream.read(MAXIMUM_BYTES + 1)
    except (OSError, RuntimeError) as error:  # `read` raises RuntimeError for a link to itself.
        raise place.error(
            f"The file cannot be read ({_reason(error)}).", "Check that it exists and is readable."
        ) from error


def _reason(error: OSError | RuntimeError) -> str:
    """Return the reason for an error, without the path, because the message already contains it.

    For a link that points to itself, Python gives no reason.
    """
    return (error.strerror if isinstance(error, OSError) else None) or "the link points to itself"
