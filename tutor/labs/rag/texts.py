"""The texts that the lab `rag` searches: the course, or a folder of the learner's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Protocol

from tutor.course.catalogue import Course, load_course
from tutor.course.passages import course_passages
from tutor.labs.rag.attempt import COURSE, Source
from tutor.retrieval import store
from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.full_text import MemoryIndex
from tutor.retrieval.passage import Found, Passage

MOST_VECTORS = 1000
"""Passages. To read more of them for their vectors would take minutes."""
QUESTIONS = 32
"""Questions of the quizzes that show what questions have in common."""


class Texts(Protocol):
    @property
    def passages(self) -> tuple[Passage, ...]: ...

    def by_words(self, query: str, limit: int, false: Passage | None = None) -> list[Found]:
        """The best passages by BM25. `false` is one more, which is not kept. Raises
        `RetrievalError`."""
        ...


class CourseTexts:
    def __init__(self) -> None:
        self._indexes = lru_cache(maxsize=2)(self._index)

    @property
    def passages(self) -> tuple[Passage, ...]:
        return _course_passages()

    def _index(self, false: Passage | None) -> MemoryIndex:
        return MemoryIndex((*self.passages, *([] if false is None else [false])))

    def by_words(self, query: str, limit: int, false: Passage | None = None) -> list[Found]:
        return self._indexes(false).find(query, limit)


class FolderTexts:
    """An index on disk. It is opened for each search: it may be written meanwhile."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Raises `RetrievalError` where there are too many to be read by the model."""
        with store.opened(self._name) as index:
            count = index.listed().passages
            if not 0 < count <= MOST_VECTORS:
                raise RetrievalError(
                    f"{self._name} has {count:,} passages; 1 to {MOST_VECTORS:,} can be compared "
                    "by meaning.",
                    "Search by words (k).",
                )
            return tuple(index.passages())

    def by_words(self, query: str, limit: int, false: Passage | None = None) -> list[Found]:
        with store.opened(self._name) as index:
            return index.search(query, limit, false)


def texts(name: str) -> Texts:
    return CourseTexts() if name == COURSE else FolderTexts(name)


def sources() -> Iterator[Source]:
    """The course, and the indexes on disk. One that cannot be used is not offered: `tutor rag
    list` tells what is wrong with it."""
    yield Source(COURSE, len(_course_passages()), vectors=True)
    for name in store.names():
        try:
            with store.opened(name) as index:
                count = index.listed().passages
        except RetrievalError:
            continue
        yield Source(name, count, vectors=0 < count <= MOST_VECTORS)


@lru_cache(maxsize=1)
def quiz_questions() -> tuple[str, ...]:
    """Some of all lessons of the course that came with this version."""
    asked = [question.ask for lesson in _course().lessons for question in lesson.questions]
    return tuple(asked[:: max(1, len(asked) // QUESTIONS)][:QUESTIONS])


@lru_cache(maxsize=1)
def _course() -> Course:
    return load_course()


@lru_cache(maxsize=1)
def _course_passages() -> tuple[Passage, ...]:
    return course_passages(_course())
