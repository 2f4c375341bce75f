"""The texts that the lab searches: the course, and folders that the learner has indexed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tutor.course.catalogue import Course, load_course
from tutor.course.passages import course_passages
from tutor.labs.rag.questions import COURSE, Source
from tutor.labs.rag.sentence_encoder import is_installed
from tutor.language import _
from tutor.retrieval import store
from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.full_text import MemoryIndex
from tutor.retrieval.passage import Found, Passage
from tutor.text import counted

MOST_VECTORS = 1000
"""The maximum number of passages for which vectors are computed. More would take minutes."""
QUESTIONS = 32
"""The number of quiz questions whose vectors are averaged. The average is subtracted from the
vector of every question."""


class CourseTexts:
    """The passages of the course, with an index in memory."""

    def __init__(self, passages: tuple[Passage, ...]) -> None:
        self.passages = passages
        self._indexes = lru_cache(maxsize=2)(self._index)

    def _index(self, false: Passage | None) -> MemoryIndex:
        return MemoryIndex((*self.passages, *([] if false is None else [false])))

    def by_words(self, query: str, limit: int, false: Passage | None = None) -> list[Found]:
        """Return the best passages by BM25.

        `false` is a passage that is added to the index for this search only.
        """
        return self._indexes(false).find(query, limit)


class FolderTexts:
    """An index on disk. It is opened again for each search, because it may have changed."""

    def __init__(self, name: str, most_vectors: int = MOST_VECTORS) -> None:
        self._name = name
        self._most_vectors = most_vectors

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The passages in the index, for semantic search.

        Raises `RetrievalError` if the index is empty, or if it has more than `most_vectors`
        passages. Computing an embedding of each passage would then take too long.
        """
        with store.opened(self._name) as index:
            count = index.listed().passages
            if not 0 < count <= self._most_vectors:
                raise RetrievalError(
                    _(
                        "{name} has {passages}, but semantic search needs 1 to {most_vectors:,}."
                    ).format(
                        name=self._name,
                        passages=counted(count, "passage"),
                        most_vectors=self._most_vectors,
                    ),
                    _("Press k to use keyword search."),
                )
            return tuple(index.passages())

    def by_words(self, query: str, limit: int, false: Passage | None = None) -> list[Found]:
        """Return the best passages by BM25. Raises `RetrievalError` if the index is damaged."""
        with store.opened(self._name) as index:
            return index.search(query, limit, false)


Texts = CourseTexts | FolderTexts


@lru_cache(maxsize=1)
def quiz_questions() -> tuple[str, ...]:
    """Return up to `QUESTIONS` quiz questions, spaced evenly over the bundled course."""
    asked = [question.ask for lesson in _course().lessons for question in lesson.questions]
    return tuple(asked[:: max(1, len(asked) // QUESTIONS)][:QUESTIONS])


@lru_cache(maxsize=1)
def _course() -> Course:
    return load_course()


@lru_cache(maxsize=1)
def _course_passages() -> tuple[Passage, ...]:
    return course_passages(_course())


@dataclass(frozen=True)
class Library:
    """All texts that can be searched: the course, and the indexes on disk.

    Attributes:
        course: A function that returns the passages of the course.
        questions: A function that returns the quiz questions whose vectors are averaged.
        has_encoder: A function that returns True if the sentence encoder is installed.
        most_vectors: The maximum number of passages in an index for semantic search.
    """

    course: Callable[[], tuple[Passage, ...]] = _course_passages
    questions: Callable[[], tuple[str, ...]] = quiz_questions
    has_encoder: Callable[[], bool] = is_installed
    most_vectors: int = MOST_VECTORS

    def texts(self, name: str) -> Texts:
        if name == COURSE:
            return CourseTexts(self.course())
        return FolderTexts(name, self.most_vectors)

    def sources(self) -> Iterator[Source]:
        """Yield all collections of texts: first the course, then each index that can be opened.

        `tutor rag list` reports which indexes can't be opened, and why.
        """
        yield Source(COURSE, len(self.course()), vectors=True)
        for name in store.names():
            try:
                with store.opened(name) as index:
                    count = index.listed().passages
            except RetrievalError:
                continue
            yield Source(name, count, vectors=0 < count <= self.most_vectors)
