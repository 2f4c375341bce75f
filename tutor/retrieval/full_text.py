"""A full-text index that ranks passages by BM25, based on SQLite's FTS5.

SQLite is part of Python's standard library, and most builds of SQLite contain FTS5. An index can be
in memory or on disk. Passages can be added and removed one at a time, and a crash does not damage
the index.

FTS5's tokenizer splits a text into words, and so determines which passages a query can find.
`unicode61` splits at everything that is neither a letter nor a digit, in any script, and ignores
case and accents: `don't` is two words, `naïve` and `NAIVE` are one, and Chinese text, which has no
spaces, is one word up to the next punctuation mark. `porter` then removes English suffixes (Porter
1980): *close*, *closes* and *closed* become the same word, and so do *university* and *universe*.
No list of stop words such as "the" is needed, because BM25 gives frequent words little weight.

The score (Robertson and Zaragoza 2009, in the form that FTS5 uses) is the sum, over the words of
the query, of

    idf(word) · f (k₁ + 1) / (f + k₁ (1 - b + b · length / mean length)),   k₁ = 1.2, b = 0.75

for a word that occurs f times in the passage, where idf = ln((N - n + ½) / (n + ½)) for a word in n
of N passages, or one millionth if the logarithm is not positive. So a word that at least half of
all passages contain has almost no influence on the score.
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
"""The constants k₁ and b of BM25, which cannot be changed in FTS5."""

TOKENIZER = "porter unicode61 remove_diacritics 2"
MOST_WORDS = 32
"""The maximum number of different words in a query. Further words are ignored."""

MOST_SCORED = 3000
"""The maximum number of passages that are scored for a query.

Scoring a passage takes about 5 microseconds.
"""
SCORED_AGAIN = 100

_LONGEST_WORD = 64
_WORD = re.compile(r"\w+")
# These characters mark matching words. They are removed from texts before indexing.
_OPEN, _CLOSE = "\x02", "\x03"
_NO_MARKS = str.maketrans({_OPEN: None, _CLOSE: None, "\0": None})


@cache
def require_fts5() -> None:
    """Raise `RetrievalError` if this Python's SQLite does not include FTS5."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    except sqlite3.OperationalError as error:
        raise RetrievalError(
            "This Python's SQLite was built without full-text search (FTS5).",
            "Use a Python that includes it: from python.org, conda or your system's packages.",
        ) from error
    finally:
        base.close()


def create(base: sqlite3.Connection) -> None:
    """Create an empty index."""
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
    """Return the words of a query in order, without repetitions.

    All characters between words are ignored, including operators of FTS5's query language.
    """
    found = (word[:_LONGEST_WORD] for word in _WORD.findall(query))
    return tuple(dict.fromkeys(word.casefold() for word in found))[:MOST_WORDS]


def any_of(wanted: Sequence[str]) -> str:
    """Return an FTS5 query that finds passages with any of these words.

    The words are quoted, so FTS5 doesn't treat words such as OR as operators.
    """
    return " OR ".join(f'"{word}"' for word in wanted)


def informative(base: sqlite3.Connection, wanted: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return the words that fewer than half of all passages contain, rarest first.

    Each word is returned with the number of passages that contain it. Frequent words would add
    almost nothing to the score of a passage, but would slow down the search, because most passages
    match. They are returned only if the query has no other words.
    """
    (total,) = base.execute("SELECT count(*) FROM passages_docsize").fetchone()
    counts = sorted(((word, _count(base, word)) for word in wanted), key=lambda counted: counted[1])
    there = tuple(counted for counted in counts if counted[1])
    return tuple(counted for counted in there if 2 * counted[1] < total) or there


def _count(base: sqlite3.Connection, word: str) -> int:
    """Return the number of passages that contain a word."""
    (count,) = base.execute(
        "SELECT count(*) FROM passages WHERE passages MATCH ?", (any_of([word]),)
    ).fetchone()
    return int(count)


def _leading(wanted: Sequence[tuple[str, int]]) -> list[str]:
    """Return the rarest words that together match at most `MOST_SCORED` passages.

    The result contains at least one word, even if this word matches more passages.
    """
    reached = accumulate(count for _, count in wanted)
    within = sum(total <= MOST_SCORED for total in reached)
    return [word for word, _ in wanted[: max(1, within)]]


def find(base: sqlite3.Connection, query: str, limit: int) -> Iterator[tuple[int, str, str, float]]:
    """Yield the number, heading, text (with marked words) and score of the best passages.

    If the words of the query match too many passages, only passages with one of the rarest words
    are scored at first. The best of these passages are then ranked by all words of the query.
    """
    wanted = informative(base, words(query))
    if not wanted:
        return
    leading, every = _leading(wanted), any_of([word for word, _ in wanted])
    more = len(leading) < len(wanted)
    best = base.execute(
        "SELECT rank, rowid FROM passages WHERE passages MATCH ? ORDER BY rank, rowid LIMIT ?",
        (any_of(leading), max(limit, SCORED_AGAIN) if more else limit),
    ).fetchall()
    if more:
        # The "+" makes SQLite search once and filter the results, instead of searching once for
        # each number.
        places = ", ".join("?" * len(best))
        best = base.execute(
            f"SELECT rank, rowid FROM passages WHERE passages MATCH ? AND +rowid IN ({places})",
            (every, *(number for _, number in best)),
        ).fetchall()
    for score, number in sorted(best)[:limit]:  # mark matches only in the passages to be returned
        heading, text = base.execute(
            f"SELECT heading, highlight(passages, 1, '{_OPEN}', '{_CLOSE}')"
            " FROM passages WHERE passages MATCH ? AND rowid = ?",
            (every, number),
        ).fetchone()
        yield number, heading, text, -score


def unmarked(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Remove the marks that `find` adds, and return the text and the marked ranges.

    A range is a pair of character indices, start and end.
    """
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
    """A full-text index in memory, for a few hundred passages. It is never saved."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        create(self._base)
        for number, passage in enumerate(passages):
            add(self._base, number, passage)

    def find(self, query: str, limit: int) -> list[Found]:
        """Return up to `limit` passages for a query, best first."""
        found = []
        for number, _, text, score in find(self._base, query, limit):
            passage = self._passages[number]
            plain, marks = unmarked(text)
            found.append(Found(passage, score, marks if plain == passage.text else ()))
        return found
