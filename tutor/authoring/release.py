"""What was released of a course: the version of each lesson and question, and a hash of what it
meant then. Learners' progress refers to versions; where something means something else now, its
version has to be raised.

What a question means is what is asked and what is right: not its hint, not the words of its
feedback. What a lesson means is which screens, labs and questions it has, and what its labs ask:
prose may be mended at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from tutor.course.lesson import Lesson
from tutor.course.questions.question import Question
from tutor.course.reading.place import Place
from tutor.errors import LessonError

FILE = "released.json"

_BESIDE = {"id", "version", "hint", "why", "screen"}


class Released(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version, and the hash of what it means."""

    version: int
    meaning: str


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By id, everything that has ever been released, as it was the last time."""

    lessons: dict[str, Released] = {}
    questions: dict[str, Released] = {}

    def after(self, lessons: Iterable[Lesson]) -> Release:
        """With these lessons added, or in place of what they were."""
        now = list(lessons)
        questions = [question for lesson in now for question in lesson.questions]
        return Release(_with(self.lessons, now), _with(self.questions, questions))


def _with(before: Mapping[str, Released], now: Iterable[Lesson | Question]) -> dict[str, Released]:
    return dict(sorted({**before, **{each.id: released(each) for each in now}}.items()))


def read_release(folder: Path) -> Release:
    """What `folder` says was released; nothing where it does not. Raises `LessonError`."""
    file = folder / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Release)
    except FileNotFoundError:
        return Release()
    except (OSError, ValueError) as error:
        raise Place(str(file)).error(
            f"The file cannot be read: {error}.", "Take it from the last release."
        ) from error


def write_release(folder: Path, release: Release) -> Path:
    """Writes the file, in an order and form that shows well what has changed. Raises
    `LessonError`."""
    file = folder / FILE
    data = msgspec.json.format(msgspec.json.encode(release), indent=1)
    try:
        file.write_bytes(data + b"\n")
    except OSError as error:
        raise LessonError(f"{file} cannot be written ({error.strerror}).") from error
    return file


def changed(lesson: Lesson, release: Release) -> Iterator[tuple[str, str, str]]:
    """For what means something else than it did under the same version, or has an older one: its
    id (empty: the lesson's), what is wrong, what to do."""
    yield from _changed("", lesson, release.lessons.get(lesson.id))
    for question in lesson.questions:
        yield from _changed(question.id, question, release.questions.get(question.id))


def _changed(
    name: str, now: Lesson | Question, before: Released | None
) -> Iterator[tuple[str, str, str]]:
    what = f"The question {name!r}" if name else "The lesson"
    if before is None:
        return
    if now.version < before.version:
        yield (
            name,
            f"{what} has version {now.version}, and version {before.version} was released.",
            f"Versions only grow: write {before.version} or more.",
        )
    elif now.version == before.version and released(now).meaning != before.meaning:
        yield (
            name,
            f"{what} has changed since version {now.version} was released.",
            f"Raise its version; if it means the same as before, `tutor release --same {now.id}`.",
        )


def released(what: Lesson | Question) -> Released:
    """The version, and the hash of what it means."""
    meaning = _of_lesson(what) if isinstance(what, Lesson) else _of_question(what)
    data = msgspec.json.encode(meaning, order="deterministic")
    return Released(what.version, blake2b(data, digest_size=12).hexdigest())


def _of_question(question: Question) -> Any:
    fields = msgspec.to_builtins(question)
    return _squeezed({name: value for name, value in fields.items() if name not in _BESIDE})


def _of_lesson(lesson: Lesson) -> Any:
    labs = [
        [lab.id, lab.kind, lab.live, lab.prompt, msgspec.to_builtins((lab.sampler, lab.goals))]
        for lab in lesson.labs
    ]
    questions = sorted(question.id for question in lesson.questions)
    return _squeezed([[screen.id for screen in lesson.screens], labs, questions])


def _squeezed(value: Any) -> Any:
    """Without the reasons of choices and pairs, and without white space that means nothing."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, Mapping):
        return {name: _squeezed(each) for name, each in value.items() if name != "why"}
    if isinstance(value, list | tuple):
        return [_squeezed(each) for each in value]
    return value
