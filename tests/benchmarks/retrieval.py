"""Measure how fast a search in a folder of 10,000 texts is.

The texts are generated. Their word frequencies follow Zipf's law, as in real languages, and they
have sentences, paragraphs and headings. The queries consist of the same words, including common
words, because people ask whole questions.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from itertools import accumulate
from pathlib import Path

from tests.benchmarks.table import Measured
from tutor.retrieval import store
from tutor.retrieval.update import update

FILES = 10_000
VOCABULARY = 30_000
QUERIES = 200
QUERY_LIMIT_MS = 50.0
INDEX_LIMIT_S = 180.0
AGAIN_LIMIT_S = 5.0
_SYLLABLES = [first + vowel for first in "bdfghklmnprstvz" for vowel in "aeiou"]


class Language:
    """A list of invented words, the most frequent words first."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            size = 1 + int(len(words) ** 0.2)  # frequent words are short
            words["".join(self._chance.choices(_SYLLABLES, k=size))] = None
        self._words = list(words)
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))

    def words(self, count: int) -> list[str]:
        return self._chance.choices(self._words, cum_weights=self._weights, k=count)

    def text(self) -> str:
        """Return about 300 words under a few headings, like a page of notes."""
        lines = []
        for number in range(self._chance.randint(1, 4)):
            lines.append(f"{'#' * (1 + (number > 0))} {' '.join(self.words(4)).capitalize()}\n")
            for _ in range(self._chance.randint(1, 4)):
                sentences = (
                    " ".join(self.words(self._chance.randint(6, 18))).capitalize() + "."
                    for _ in range(self._chance.randint(2, 6))
                )
                lines.append(" ".join(sentences) + "\n")
        return "\n".join(lines)

    def query(self) -> str:
        """Return a query with two informative words, and other words that may be uninformative."""
        rare = self._chance.choices(self._words[200:], k=2)
        return " ".join([*self.words(self._chance.randint(2, 7)), *rare])


def write_texts(folder: Path, files: int = FILES, seed: int = 1) -> Language:
    """Write `count` texts, a hundred in a folder, and return their language."""
    language = Language(seed)
    for number in range(files):
        inside = folder / f"{number // 100:03}"
        inside.mkdir(exist_ok=True)
        (inside / f"{number:05}.md").write_text(language.text(), encoding="utf-8")
    return language


def measure() -> list[Measured]:
    with tempfile.TemporaryDirectory() as place:
        os.environ["TUTOR_DATA"] = str(Path(place) / "data")
        folder = Path(place) / "texts"
        folder.mkdir()
        language = write_texts(folder)
        first, again = _indexed(folder), _indexed(folder)
        times = _queried(language)
        del os.environ["TUTOR_DATA"]
    p95 = statistics.quantiles(times, n=20)[-1]
    query = f"a query over {FILES:,} files"
    return [
        Measured(f"indexing {FILES:,} files (limit)", "s", first, INDEX_LIMIT_S, 1.0),
        Measured(
            "updating this index when no file has changed (limit)", "s", again, AGAIN_LIMIT_S, 1.0
        ),
        Measured(f"{query}, median (limit)", "ms", statistics.median(times), QUERY_LIMIT_MS, 1.0),
        Measured(f"{query}, 95th percentile (limit)", "ms", p95, QUERY_LIMIT_MS, 1.0),
    ]


def _indexed(folder: Path) -> float:
    """Return the seconds to bring the index up to date."""
    began = time.perf_counter()
    with store.opened_to_write("benchmark", folder) as index:
        for _ in update(index, folder):
            pass
    return time.perf_counter() - began


def _queried(language: Language) -> list[float]:
    """Return the milliseconds of each query on the open index."""
    times = []
    with store.opened("benchmark") as index:
        index.search(language.query(), 5)
        for _ in range(QUERIES):
            query = language.query()
            began = time.perf_counter()
            index.search(query, 5)
            times.append(1000 * (time.perf_counter() - began))
    return times
