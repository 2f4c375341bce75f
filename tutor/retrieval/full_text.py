"""The index of words: SQLite's full-text engine, FTS5, which ranks by BM25.

FTS5 is part of Python's standard library wherever its SQLite was built with it, keeps an index in
memory or on disk, is changed passage by passage, and survives a crash as all of SQLite does.

How a text becomes words (the tokenizer) decides what is found. `unicode61` cuts at whatever is
neither letter nor figure in any script and drops case and accents: `don't` is two words, `naïve`
and `NAIVE` are one, and Chinese, which has no spaces, is one word a run. `porter` then cuts English
endings off (Porter 1980): *close*, *closes* and *closed* are one word; so are *university* and
*universe*, which is its price. There is no list of words to leave out: BM25 does that by itself.

The score is that of Robertson and Zaragoza 2009, in the form of FTS5: over the words of the query

    idf(word) · f (k₁ + 1) / (f + k₁ (1 - b + b · length / mean length)),   k₁ = 1.2, b = 0.75

where the word stands f times in the passage, idf = ln((N - n + ½) / (n + ½)) for a word in n of N
passages, and one in a millionth where that is not positive: a word that at least half of all
passages have tells nothing.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate

from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.passage import Found, Passage

K1, B = 1.2, 0.75
"""The constants of BM25 in FTS5, where they cannot be changed."""

TOKENIZER = "porter unicode61 remove_diacritics 2"
MOST_WORDS = 32
"""Different words of a query that count; of a longer one, the first."""

MOST_SCORED = 3000
"""Passages that a query gives a score: what it costs grows with them (some 5 microseconds each)."""
SCORED_AGAIN = 100

_LONGEST_WORD = 64
_WORD = re.compile(r"\w+")
_OPEN, _CLOSE = "\x02", "\x03"  # around words found: taken out of what is indexed
_NO_MARKS = str.maketrans({_OPEN: None, _CLOSE: None, "\0": None})


@cache
def require_fts5() -> None:
    """Raises `RetrievalError` where SQLite has no full-text engine."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    except sqlite3.OperationalError as error:
        raise RetrievalError(
            "The SQLite of this Python was built without full-text search (FTS5).",
            "Use a Python from python.org, conda or your system's packages: those have it.",
        ) from error
    finally:
        base.close()


def create(base: sqlite3.Connection) -> None:
    """An empty index."""
    require_fts5()
    base.execute(
        f"CREATE VIRTUAL TABLE passages USING fts5(heading, text, tokenize = '{TOKENIZER}')"
    )


def add(base: sqlite3.Connection, number: int, passage: Passage) -> None:
    base.execute(
        "INSERT INTO passages(rowid, heading, text) VALUES (?, ?, ?)",
        (number, _storable(passage.heading), _storable(passage.text)),
    )


def remove(base: sqlite3.Connection, numbers: Iterable[int]) -> None:
    base.executemany("DELETE FROM passages WHERE rowid = ?", ((each,) for each in numbers))


def words(query: str) -> tuple[str, ...]:
    """The different words of a query, in order. Whatever else stands in it (operators of the
    query language too) is text, and no word."""
    found = (word[:_LONGEST_WORD] for word in _WORD.findall(query))
    return tuple(dict.fromkeys(word.casefold() for word in found))[:MOST_WORDS]


def any_of(wanted: Sequence[str]) -> str:
    """FTS5's query for passages with any of these words. In quotes, nothing of a word acts."""
    return " OR ".join(f'"{word}"' for word in wanted)


def telling(base: sqlite3.Connection, wanted: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Those of the words that less than half of all passages have, and how many have each, the
    rarest first: the others add nothing to a score, and would make every passage a hit. All of
    them, where no other is left."""
    (total,) = base.execute("SELECT count(*) FROM passages_docsize").fetchone()
    counts = sorted(((word, _count(base, word)) for word in wanted), key=lambda counted: counted[1])
    there = tuple(counted for counted in counts if counted[1])
    return tuple(counted for counted in there if 2 * counted[1] < total) or there


def _count(base: sqlite3.Connection, word: str) -> int:
    """In how many passages a word stands."""
    (count,) = base.execute(
        "SELECT count(*) FROM passages WHERE passages MATCH ?", (any_of([word]),)
    ).fetchone()
    return int(count)


def _leading(wanted: Sequence[tuple[str, int]]) -> list[str]:
    """The rarest words, as many as lead to at most `MOST_SCORED` passages; one at least."""
    reached = accumulate(count for _, count in wanted)
    within = sum(total <= MOST_SCORED for total in reached)
    return [word for word, _ in wanted[: max(1, within)]]


def find(base: sqlite3.Connection, query: str, limit: int) -> Iterator[tuple[int, str, str, float]]:
    """Number, heading, text with marks around the words found, and score of the best passages.

    In a large index only passages with one of the query's rarest words are scored; the best of
    those are then put in order by all of its words.
    """
    wanted = telling(base, words(query))
    if not wanted:
        return
    leading, every = _leading(wanted), any_of([word for word, _ in wanted])
    more = len(leading) < len(wanted)
    best = base.execute(
        "SELECT rank, rowid FROM passages WHERE passages MATCH ? ORDER BY rank, rowid LIMIT ?",
        (any_of(leading), max(limit, SCORED_AGAIN) if more else limit),
    ).fetchall()
    if more:
        # "+" keeps SQLite from beginning anew with every single number: one pass does
        places = ", ".join("?" * len(best))
        best = base.execute(
            f"SELECT rank, rowid FROM passages WHERE passages MATCH ? AND +rowid IN ({places})",
            (every, *(number for _, number in best)),
        ).fetchall()
    for score, number in sorted(best)[:limit]:  # the marks only for those that are shown
        heading, text = base.execute(
            f"SELECT heading, highlight(passages, 1, '{_OPEN}', '{_CLOSE}')"
            " FROM passages WHERE passages MATCH ? AND rowid = ?",
            (every, number),
        ).fetchone()
        yield number, heading, text, -score


def unmarked(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A text without the marks that `find` has put in, and where they were."""
    plain = ""
    marks: list[tuple[int, int]] = []
    for piece in text.split(_OPEN):
        inside, closed, rest = piece.partition(_CLOSE)
        if closed:
            marks.append((len(plain), len(plain) + len(inside)))
        plain += inside + rest
    return plain, tuple(marks)


def _storable(text: str) -> str:
    return text.translate(_NO_MARKS)


class MemoryIndex:
    """An index of a few hundred passages, made in a moment and never kept."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        create(self._base)
        for number, passage in enumerate(passages):
            add(self._base, number, passage)

    def find(self, query: str, limit: int) -> list[Found]:
        """The best passages for a query."""
        found = []
        for number, _, text, score in find(self._base, query, limit):
            passage = self._passages[number]
            plain, marks = unmarked(text)
            found.append(Found(passage, score, marks if plain == passage.text else ()))
        return found
