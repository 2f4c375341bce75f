"""The full-text index: SQLite's FTS5, which ranks by BM25.

FTS5 is in Python's standard library wherever its SQLite was built with it. It keeps an index in
memory or on disk, updates it passage by passage, and survives a crash like the rest of SQLite.

How a text is split into words (the tokenizer) decides what can be found. `unicode61` splits at
everything that is neither a letter nor a digit, in any script, and ignores case and accents:
`don't` is two words, `naïve` and `NAIVE` are one, and a run of Chinese, which has no spaces, is one
word. `porter` then removes English endings (Porter 1980): *close*, *closes* and *closed* become one
word, but so do *university* and *universe*. No list of stop words is needed: BM25 gives such words
little weight.

The score (Robertson and Zaragoza 2009, in the form that FTS5 uses) is the sum, over the words of
the query, of

    idf(word) · f (k₁ + 1) / (f + k₁ (1 - b + b · length / mean length)),   k₁ = 1.2, b = 0.75

for a word that occurs f times in the passage, where idf = ln((N - n + ½) / (n + ½)) for a word in n
of N passages, or one millionth if that is not positive: a word that at least half of all
passages contain says nothing about a passage.
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
"""BM25's constants, which are fixed in FTS5."""

TOKENIZER = "porter unicode61 remove_diacritics 2"
MOST_WORDS = 32
"""The largest number of different words in a query. All further words are ignored."""

MOST_SCORED = 3000
"""The most passages that a query scores. Each takes about 5 microseconds."""
SCORED_AGAIN = 100

_LONGEST_WORD = 64
_WORD = re.compile(r"\w+")
_OPEN, _CLOSE = "\x02", "\x03"  # around matching words; removed from indexed text
_NO_MARKS = str.maketrans({_OPEN: None, _CLOSE: None, "\0": None})


@cache
def require_fts5() -> None:
    """Raise `RetrievalError` if SQLite has no full-text engine."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    except sqlite3.OperationalError as error:
        raise RetrievalError(
            "This Python's SQLite was built without full-text search (FTS5).",
            "Use Python from python.org, conda or your system's packages, which include it.",
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
    """Return the different words of a query, in order.

    All other characters are ignored, including operators of FTS5's query language.
    """
    found = (word[:_LONGEST_WORD] for word in _WORD.findall(query))
    return tuple(dict.fromkeys(word.casefold() for word in found))[:MOST_WORDS]


def any_of(wanted: Sequence[str]) -> str:
    """Return FTS5's query for passages with any of these words.

    Quotes keep them from being operators.
    """
    return " OR ".join(f'"{word}"' for word in wanted)


def informative(base: sqlite3.Connection, wanted: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return the words that fewer than half of all passages contain, rarest first.

    Each comes with its count. The other words would add nothing to a score, and would make every
    passage match. They are returned only if there is nothing else.
    """
    (total,) = base.execute("SELECT count(*) FROM passages_docsize").fetchone()
    counts = sorted(((word, _count(base, word)) for word in wanted), key=lambda counted: counted[1])
    there = tuple(counted for counted in counts if counted[1])
    return tuple(counted for counted in there if 2 * counted[1] < total) or there


def _count(base: sqlite3.Connection, word: str) -> int:
    """Return how many passages contain a word."""
    (count,) = base.execute(
        "SELECT count(*) FROM passages WHERE passages MATCH ?", (any_of([word]),)
    ).fetchone()
    return int(count)


def _leading(wanted: Sequence[tuple[str, int]]) -> list[str]:
    """Return the rarest words, at least one, that match at most `MOST_SCORED` passages."""
    reached = accumulate(count for _, count in wanted)
    within = sum(total <= MOST_SCORED for total in reached)
    return [word for word, _ in wanted[: max(1, within)]]


def find(base: sqlite3.Connection, query: str, limit: int) -> Iterator[tuple[int, str, str, float]]:
    """Yield the best passages: number, heading, text with marked matches, and score.

    In a large index only passages with one of the query's rarest words are scored. The best of
    those are then ranked by all words of the query.
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
        # "+" makes SQLite run one pass, instead of one search for each number.
        places = ", ".join("?" * len(best))
        best = base.execute(
            f"SELECT rank, rowid FROM passages WHERE passages MATCH ? AND +rowid IN ({places})",
            (every, *(number for _, number in best)),
        ).fetchall()
    for score, number in sorted(best)[:limit]:  # mark only the passages that are returned
        heading, text = base.execute(
            f"SELECT heading, highlight(passages, 1, '{_OPEN}', '{_CLOSE}')"
            " FROM passages WHERE passages MATCH ? AND rowid = ?",
            (every, number),
        ).fetchone()
        yield number, heading, text, -score


def unmarked(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a text without the marks of `find`, and the positions that they marked."""
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
    """An index of a few hundred passages in memory, quick to create and never stored."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        create(self._base)
        for number, passage in enumerate(passages):
            add(self._base, number, passage)

    def find(self, query: str, limit: int) -> list[Found]:
        """Return the best passages for a query."""
        found = []
        for number, _, text, score in find(self._base, query, limit):
            passage = self._passages[number]
            plain, marks = unmarked(text)
            found.append(Found(passage, score, marks if plain == passage.text else ()))
        return found
