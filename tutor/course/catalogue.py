"""The course: all lessons of a folder, and a summary of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.parse import parse_bytes
from tutor.course.place import MAXIMUM_BYTES, Place
from tutor.course.question import Question, type_name
from tutor.errors import LessonError
from tutor.paths import lessons_folder
from tutor.text import safe

_FILE_NAME = re.compile(r"[0-9].*\.md", re.DOTALL)


class Course(msgspec.Struct, frozen=True):
    """`lessons` are sorted by number; `problems` say which files could not be used and why, so
    that one bad file never hides the others."""

    lessons: tuple[Lesson, ...]
    problems: tuple[LessonError, ...] = ()

    def lesson(self, lesson_id: str) -> Lesson | None:
        return next((lesson for lesson in self.lessons if lesson.id == lesson_id), None)

    def question(self, question_id: str) -> tuple[Lesson, Question] | None:
        """A question and the lesson that it belongs to; question ids are unique in a course."""
        for lesson in self.lessons:
            if question := lesson.question(question_id):
                return lesson, question
        return None


class LessonSummary(msgspec.Struct, frozen=True):
    """One line of `tutor lessons --json`: how many screens and questions there are, how many
    questions of each type, and the ids of the labs."""

    id: str
    number: int
    title: str
    screens: int
    questions: int
    question_types: dict[str, int]
    labs: tuple[str, ...]


def load_course(folder: Path | None = None) -> Course:
    """All lessons of `folder` (default: those that came with this version).

    A lesson is a file whose name begins with a digit and ends with `.md`. Raises `LessonError`
    only when the folder itself cannot be read.
    """
    folder = folder or lessons_folder()
    lessons: list[Lesson] = []
    problems: list[LessonError] = []
    for file in lesson_files(folder):
        try:
            where = safe(file.name)
            lesson = parse_bytes(read_file(file, where), where)
            check_unique(lesson, lessons, where)
        except LessonError as problem:
            problems.append(problem)
        else:
            lessons.append(lesson)
    lessons.sort(key=lambda lesson: lesson.number)
    return Course(tuple(lessons), tuple(problems))


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
        if not file.resolve().is_relative_to(file.parent.resolve()):
            raise place.error("The file is a link out of its folder.", "Copy the file itself.")
        if file.exists() and not file.is_file():
            raise place.error("This is not an ordinary file.", "Put a text file there.")
        with file.open("rb") as stream:
            return stream.read(MAXIMUM_BYTES + 1)
    except (OSError, RuntimeError) as error:  # a link that leads to itself: RuntimeError
        raise place.error(
            f"The file cannot be read ({_reason(error)}).", "Check that it is there and readable."
        ) from error


def course_summary(course: Course) -> tuple[LessonSummary, ...]:
    """What `tutor lessons --json` prints."""
    return tuple(
        LessonSummary(
            id=lesson.id,
            number=lesson.number,
            title=lesson.title,
            screens=len(lesson.screens),
            questions=len(lesson.questions),
            question_types=dict(Counter(type_name(each) for each in lesson.questions)),
            labs=tuple(lab.id for lab in lesson.labs),
        )
        for lesson in course.lessons
    )


def check_unique(lesson: Lesson, others: Sequence[Lesson], file: str) -> None:
    """Raises `LessonError` when an id or number of `lesson` is taken by one of `others`."""
    place = Place(file)
    for other in others:
        if lesson.id == other.id or lesson.number == other.number:
            what = f"id {lesson.id!r}" if lesson.id == other.id else f"number {lesson.number}"
            raise place.error(
                f"The {what} is that of another lesson ({other.title!r}).",
                "Ids and numbers of lessons are unique in a course.",
            )
        shared = _names(lesson) & _names(other)
        if shared:
            raise place.error(
                f"The id {min(shared)!r} is that of a question or lab in {other.title!r}.",
                "Ids of questions and labs are unique in a course.",
            )


def _names(lesson: Lesson) -> set[str]:
    return {question.id for question in lesson.questions} | {lab.id for lab in lesson.labs}


def _reason(error: OSError | RuntimeError) -> str:
    """Without the path, which the message names already. A link to itself: `RuntimeError`."""
    return (error.strerror if isinstance(error, OSError) else None) or "it leads nowhere"
