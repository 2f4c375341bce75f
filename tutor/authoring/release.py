"""Record the released versions of a course, with a hash of each part's meaning.

Learners' progress refers to these versions. When the meaning of a lesson or question changes, its
version must therefore increase.

The meaning of a question consists of what it asks and which answers are right. Its hint and the
wording of its feedback don't belong to it. The meaning of a lesson consists of its screens, its
questions, and its labs with their goals. Its prose can be improved without a new version.
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
    """A released version, with a hash of the text that determines its meaning."""

    version: int
    meaning: str


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The latest released version of every lesson and question, by id."""

    lessons: dict[str, Released] = {}
    questions: dict[str, Released] = {}

    def after(self, lessons: Iterable[Lesson]) -> Release:
        """Return a new release that also contains the current versions of these lessons."""
        now = list(lessons)
        questions = [question for lesson in now for question in lesson.questions]
        return Release(_with(self.lessons, now), _with(self.questions, questions))


def _with(before: Mapping[str, Released], now: Iterable[Lesson | Question]) -> dict[str, Released]:
    return dict(sorted({**before, **{each.id: released(each) for each in now}}.items()))


def read_release(folder: Path) -> Release:
    """Return the release recorded in `folder`, or an empty release if there is no record.

    Raises `LessonError` if the record cannot be read.
    """
    file = folder / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Release)
    except FileNotFoundError:
        return Release()
    except (OSError, ValueError) as error:
        raise Place(str(file)).error(
            f"The file cannot be read: {error}.", "Restore it from the last release."
        ) from error


def write_release(folder: Path, release: Release) -> Path:
    """Write the record in a form whose diffs are readable. Raises `LessonError`."""
    file = folder / FILE
    data = msgspec.json.format(msgspec.json.encode(release), indent=1)
    try:
        file.write_bytes(data + b"\n")
    except OSError as error:
        raise LessonError(f"{file} cannot be written ({error.strerror}).") from error
    return file


def changed(lesson: Lesson, release: Release) -> Iterator[tuple[str, str, str]]:
    """Yield a problem for each part whose version is wrong.

    A version must not decrease, and must increase when the meaning changes. A problem consists of
    an id (empty for the lesson), a sentence, and the next step.
    """
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
            f"{what} has version {now.version}, but version {before.version} is already released.",
            f"Set the version to {before.version} or higher.",
        )
    elif now.version == before.version and released(now).meaning != before.meaning:
        yield (
            name,
            f"{what} has changed since version {now.version} was released.",
            "Increase its version. If its meaning is the same, run"
            f" `tutor release --same {now.id}`.",
        )


def released(what: Lesson | Question) -> Released:
    """Return the version of a lesson or question, and a hash of its meaning."""
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
    """Return `value` without its `why` fields, and with single spaces."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, Mapping):
        return {name: _squeezed(each) for name, each in value.items() if name != "why"}
    if isinstance(value, list | tuple):
        return [_squeezed(each) for each in value]
    return value
