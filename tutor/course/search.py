"""Search the lessons, the glossary and the questions of a course.

The search uses SQLite's full-text index (FTS5) in memory. It ignores case and accents, and matches
the beginnings of words. Results are ranked by BM25 (Robertson and Zaragoza 2009), with more weight
on the titles of screens and the names of terms.
"""

import re
import sqlite3
from collections.abc import Iterator
from threading import Lock
from typing import Literal
from weakref import WeakKeyDictionary

import msgspec

from tutor.course.catalogue import Course
from tutor.course.lesson import Lesson
from tutor.course.questions.spelling import plain
from tutor.course.reading.markup import inline_text, markdown
from tutor.course.targets import ScreenTarget, TermTarget
from tutor.errors import LessonError, TutorError

MOST_HITS = 50
_EXCERPT_TOKENS = 16
_TITLE_WEIGHT = 6.0
_SEPARATOR = " · "
"""Separates a question and its choices, which often have no punctuation at their end."""

_WORD = re.compile(r"\w+")

Kind = Literal["lesson", "term", "question"]


class Hit(msgspec.Struct, frozen=True):
    """A search result.

    `title` is a term, a screen's title, or the title of a question's lesson. `excerpt` is one
    line of plain text around the matching words. `target` is the screen or term to open. For a
    question, it is the screen that explains the answer.
    """

    kind: Kind
    title: str
    excerpt: str
    target: TermTarget | ScreenTarget


class _Document(msgspec.Struct, frozen=True):
    """A screen, term or question in the index. A question's title is shown but not searched."""

    kind: Kind
    title: str
    text: str
    target: TermTarget | ScreenTarget


def search(course: Course, words: str, limit: int = MOST_HITS) -> list[Hit]:
    """Return the results that match all of `words` or, if there are none, any of them.

    Results whose title is exactly `words` come first, then terms that begin with `words`, then all
    others from best to worst. The first search of a course takes a while because it parses the
    whole course, so do not call this function in the thread of the screens. Raises `TutorError` if
    Python's SQLite does not support full-text search.
    """
    wanted = [f'"{word}"*' for word in _WORD.findall(words) if word.strip("_")]
    if not wanted:
        return []
    index = _index_of(course)
    hits = index.find(" AND ".join(wanted), limit) or index.find(" OR ".join(wanted), limit)
    name = plain(words)
    return sorted(hits, key=lambda hit: (plain(hit.title) != name, not _begins(hit, name)))


def _begins(hit: Hit, name: str) -> bool:
    """Return True for a term that begins with `name`."""
    return hit.kind == "term" and plain(hit.title).startswith(name)


class _Index:
    """The full-text index of one course. A lock allows only one thread at a time to search."""

    def __init__(self, documents: Iterator[_Document]) -> None:
        self._lock = Lock()
        self._documents: list[_Document] = []
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            self._base.execute(
                "CREATE VIRTUAL TABLE documents USING"
                " fts5(title, text, tokenize = 'unicode61 remove_diacritics 2')"
            )
        except sqlite3.OperationalError as error:
            raise TutorError(
                "This Python's SQLite does not support full-text search.",
                "Use a build of Python with FTS5.",
            ) from error
        for document in documents:
            self._documents.append(document)
            title = "" if document.kind == "question" else document.title
            self._base.execute(
                "INSERT INTO documents(rowid, title, text) VALUES (?, ?, ?)",
                (len(self._documents), title, document.text),
            )

    def find(self, query: str, limit: int) -> list[Hit]:
        with self._lock:
            rows = self._base.execute(
                f"SELECT rowid, snippet(documents, 1, '', '', '…', {_EXCERPT_TOKENS})"
                " FROM documents WHERE documents MATCH ?"
                f" ORDER BY bm25(documents, {_TITLE_WEIGHT}, 1.0), rowid LIMIT ?",
                (query, limit),
            ).fetchall()
        found = ((self._documents[number - 1], excerpt) for number, excerpt in rows)
        return [
            Hit(document.kind, document.title, " ".join(excerpt.split()), document.target)
            for document, excerpt in found
        ]


_indexes: WeakKeyDictionary[Course, _Index] = WeakKeyDictionary()
_building = Lock()


def _index_of(course: Course) -> _Index:
    with _building:
        if course not in _indexes:
            _indexes[course] = _Index(_documents(course))
        return _indexes[course]


def _documents(course: Course) -> Iterator[_Document]:
    for term in course.glossary.values():
        yield _Document("term", term.term, _plain(term.text), TermTarget(term.id))
    for outline in course.outlines:
        try:
            lesson = course.lesson(outline.id)
        except LessonError:  # The app reports the problem when the learner opens the lesson.
            continue
        if lesson is not None:
            yield from _of_lesson(lesson)


def _of_lesson(lesson: Lesson) -> Iterator[_Document]:
    for screen in lesson.screens:
        said = [_plain(screen.body), screen.lab.task if screen.lab else ""]
        yield _Document("lesson", screen.title, "\n".join(said), ScreenTarget(lesson.id, screen.id))
    for question in lesson.questions:
        yield _Document(
            "question",
            lesson.title,
            _SEPARATOR.join(_plain(text).strip() for text in question.searchable()),
            ScreenTarget(lesson.id, question.screen or ""),
        )


def _plain(text: str) -> str:
    """Return the text of Markdown without its markup."""
    parts: list[str] = []
    for token in markdown().parse(text):
        if token.type in ("fence", "code_block"):
            parts.append(token.content)
        elif token.type == "inline":
            parts.append(f"{inline_text(token)}\n")
    return "".join(parts)
