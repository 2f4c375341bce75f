"""Read and write the class file, which contains the due dates of lessons.

The due dates apply to all learners on a machine. A teacher writes the file. The learners' programs
don't trust it: they limit its size and reject unknown fields.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tutor import private
from tutor.classroom.errors import ClassFileError
from tutor.course.questions.base import Id
from tutor.errors import StoreError
from tutor.language import _
from tutor.learner import disk
from tutor.learner.untrusted_files import entry_exists, read_untrusted
from tutor.text import safe

FORMAT = 1
LARGEST = 100_000
"""The maximum size of the file in bytes, which is enough for many courses of 500 lessons."""
EARLIEST_YEAR, LATEST_YEAR = 2000, 2190
FOR_ALL = 0o644
_FOLDER_FOR_ALL = 0o755
_FOR_TEACHERS = 0o660
"""The mode of the lock file. Learners must not be able to hold the lock."""
_PATIENCE = 10.0
"""The maximum number of seconds to wait while another teacher holds the lock."""

_READ_ON = (
    "You can continue with the lessons. The teacher who wrote the file can delete it and assign "
    "the lessons again."
)


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson and its due time, with the offset from UTC. Learners see it in local time."""

    lesson: Id
    due: Annotated[datetime, msgspec.Meta(tz=True)]

    def __post_init__(self) -> None:
        if not EARLIEST_YEAR <= self.due.year <= LATEST_YEAR:
            raise ValueError(f"a lesson cannot be due in the year {self.due.year}")


class _Head(msgspec.Struct, frozen=True):
    tutor: Literal["class"]
    format: Annotated[int, msgspec.Meta(ge=1)]


class _ClassFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tutor: Literal["class"]
    format: int
    lessons: Annotated[tuple[Assignment, ...], msgspec.Meta(max_length=500)]


_head = msgspec.json.Decoder(_Head)
_file = msgspec.json.Decoder(_ClassFile)


def read(path: Path) -> tuple[Assignment, ...]:
    """Return the assignments, sorted by due time, or no assignments if the file does not exist.

    If a lesson has several assignments, the last one counts. Raises `ClassFileError`.
    """
    try:
        if not entry_exists(path):
            return ()
        data = read_untrusted(path, LARGEST)
    except OSError as error:
        raise ClassFileError(
            _("{path} cannot be read ({strerror}).").format(path=path, strerror=error.strerror),
            _READ_ON,
        ) from error
    except StoreError as error:
        raise ClassFileError(error.happened, _READ_ON) from error
    try:
        if (version := _head.decode(data).format) > FORMAT:
            raise ClassFileError(
                _("{path} was written by a newer version of tutor (format {version}).").format(
                    path=path, version=version
                ),
                "Update tutor to see what is due.",
            )
        found = _file.decode(data).lessons
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ClassFileError(
            _("{path} is not a valid class file ({error}).").format(
                path=path, error=safe(str(error))[:200]
            ),
            _READ_ON,
        ) from None
    return _sorted({each.lesson: each for each in found}.values())


def change(path: Path, changed: Callable[[tuple[Assignment, ...]], Iterable[Assignment]]) -> None:
    """Replace the assignments in the class file with the result of `changed(assignments)`.

    If several teachers change the file at the same time, they take turns, and all changes are
    kept. Raises `ClassFileError`.
    """
    with _writing(path), _locked(path):
        write(path, changed(read(path)))


def write(path: Path, assignments: Iterable[Assignment]) -> None:
    """Replace the class file, and make it readable by everyone.

    The file is replaced completely or not at all. To change a file that other teachers may change
    too, call `change`. Raises `ClassFileError`.
    """
    content = _ClassFile("class", FORMAT, _sorted(assignments))
    data = msgspec.json.format(msgspec.json.encode(content)) + b"\n"
    with _writing(path):
        private.make_folder(path.parent, _FOLDER_FOR_ALL)
        disk.replace(path, data, lambda new: new.chmod(FOR_ALL))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock on the class file while the `with` block runs. Raises `OSError`."""
    from filelock import FileLock, Timeout  # only writers need this import

    private.make_folder(path.parent, _FOLDER_FOR_ALL)
    file = path.with_name(f".{path.name}.lock")
    lock = FileLock(file, timeout=_PATIENCE, mode=_FOR_TEACHERS, poll_interval=0.01)
    try:
        try:
            lock.acquire()
        except PermissionError:
            # Only an administrator, or a teacher in another group, can open this lock file.
            # Create a new one.
            file.unlink(missing_ok=True)
            lock.acquire()
    except Timeout as error:
        raise ClassFileError(
            _("Another program has been changing {path} for {seconds:g} seconds.").format(
                path=path, seconds=_PATIENCE
            ),
            "Your change was not saved. Try again.",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Convert each `OSError` in the block to a `ClassFileError`."""
    try:
        yield
    except PermissionError as error:
        raise _not_yours(path) from error
    except OSError as error:
        raise ClassFileError(
            _("{path} cannot be written ({value}).").format(
                path=path, value=error.strerror or error
            ),
            "Correct the problem, or choose another file with --class-file.",
        ) from error


def _sorted(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    return tuple(sorted(assignments, key=lambda each: (each.due, each.lesson)))


def _not_yours(path: Path) -> ClassFileError:
    once = f"make the folder yours (sudo install -d -o $USER {path.parent})"
    how = "Run this as an administrator" if os.name == "nt" else f"Run this with sudo, {once}"
    return ClassFileError(
        _("You cannot write to {parent}.").format(parent=path.parent),
        _("{how}, or choose another file with --class-file.").format(how=how),
    )
