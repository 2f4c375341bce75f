"""List and read the files of a course folder, without following links out of it."""

import re
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from tutor.course.reading.place import MAXIMUM_BYTES, Place
from tutor.errors import LessonError
from tutor.text import safe

FACTS = "facts.yaml"
"""The file with a course's facts, in the folder of its lessons."""

_FILE_NAME = re.compile(r"[0-9].*\.md", re.DOTALL)


def lesson_files(folder: Path) -> list[Path]:
    """Return the lesson files of a folder, by name. Raises `LessonError`."""
    try:
        return sorted(file for file in folder.iterdir() if _FILE_NAME.fullmatch(file.name))
    except OSError as error:
        raise LessonError(
            f"The folder {safe(str(folder))} cannot be read ({_reason(error)}).",
            "Check the path and its permissions.",
        ) from error


def read_file(file: Path, where: str) -> bytes:
    """Return the bytes of a lesson file, or just enough to see that it is too large.

    `where` names the file in errors. Raises `LessonError`, also for a symbolic link that leads
    outside the folder.
    """
    place = Place(where)
    try:
        mode = file.lstat().st_mode
        if S_ISLNK(mode):
            if not file.resolve().is_relative_to(file.parent.resolve()):
                raise place.error(
                    "The file is a link that leads out of its folder.", "Copy the file itself."
                )
            mode = file.stat().st_mode
        if not S_ISREG(mode):
            raise place.error("This is not an ordinary file.", "Replace it with a text file.")
        with file.open("rb") as stream:
            return stream.read(MAXIMUM_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise place.error(
            f"The file cannot be read ({_reason(error)}).", "Check that it exists and is readable."
        ) from error


def _reason(error: OSError | RuntimeError) -> str:
    """Return the reason without the path, which the message names.

    Links to themselves have none.
    """
    return (error.strerror if isinstance(error, OSError) else None) or "the link leads to itself"
