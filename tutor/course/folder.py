"""The files of a course folder, and reading one without being led out of it."""

import re
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from tutor.course.reading.place import MAXIMUM_BYTES, Place
from tutor.errors import LessonError
from tutor.text import safe

FACTS = "facts.yaml"
"""The file of a course's facts, beside its lessons."""

_FILE_NAME = re.compile(r"[0-9].*\.md", re.DOTALL)


def lesson_files(folder: Path) -> list[Path]:
    """The lesson files of a folder, by name. Raises `LessonError`."""
    try:
        return sorted(file for file in folder.iterdir() if _FILE_NAME.fullmatch(file.name))
    except OSError as error:
        raise LessonError(
            f"The folder {safe(str(folder))} cannot be read ({_reason(error)}).",
            "Check the path and its permissions.",
        ) from error


def read_file(file: Path, where: str) -> bytes:
    """The bytes of a lesson file, as many as are needed to see that it is too large.

    `where` names the file in errors. Raises `LessonError`, for a link out of its folder too.
    """
    place = Place(where)
    try:
        mode = file.lstat().st_mode
        if S_ISLNK(mode):
            if not file.resolve().is_relative_to(file.parent.resolve()):
                raise place.error("The file is a link out of its folder.", "Copy the file itself.")
            mode = file.stat().st_mode
        if not S_ISREG(mode):
            raise place.error("This is not an ordinary file.", "Put a text file there.")
        with file.open("rb") as stream:
            return stream.read(MAXIMUM_BYTES + 1)
    except (OSError, RuntimeError) as error:  # a link that leads to itself: RuntimeError
        raise place.error(
            f"The file cannot be read ({_reason(error)}).", "Check that it is there and readable."
        ) from error


def _reason(error: OSError | RuntimeError) -> str:
    """Without the path, which the message names already. A link to itself: `RuntimeError`."""
    return (error.strerror if isinstance(error, OSError) else None) or "it leads nowhere"
