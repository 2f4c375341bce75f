"""Test the full-text index: what it finds, how it scores, and that every query is only words."""

from __future__ import annotations

import math
import random
import re
import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.retrieval import full_text
from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.full_text import K1, B, MemoryIndex, unmarked
from tutor.retrieval.passage import Passage

VELM = (
    "The library of Velm opens at ten and closes at six.",
    "The museum of Velm is closed on Mondays.",
    "Books may be kept for thirty days and renewed once.",
    "The guest network has the password bluebird.",
    "A canal boat leaves every hour, also in winter.",
)


def index(texts: Sequence[str]) -> MemoryIndex:
    return MemoryIndex(
        [Passage("x.md", str(number), 1, "", text) for number, text in enumerate(texts)]
    )


def found(texts: Sequence[str], query: str, limit: int = 10) -> list[str]:
    return [each.passage.anchor for each in index(texts).find(query, limit)]


def by_formula(texts: Sequence[str], words: Sequence[str], place: int) -> float:
    """Return BM25 by the formula of the module's docstring, for words without endings."""
    split = [re.findall(r"\w+", text.lower()) for text in texts]
    mean = sum(map(len, split)) / len(split)
    total = 0.0
    for word in words:
        having = sum(word in each for each in split)
        idf = max(1e-6, math.log((len(texts) - having + 0.5) / (having + 0.5)))
        often = split[place].count(word)
        long = 1 - B + B * len(split[place]) / mean
        total += idf * often * (K1 + 1) / (often + K1 * long)
    return total


def test_scores_follow_the_formula() -> None:
    chance = random.Random(4)
    words = [f"z{letter}" for letter in "abcdfghjk"]  # two letters: no ending to remove
    texts = [" ".join(chance.choices(words, k=chance.randint(3, 30))) for _ in range(40)]
    rare = ["zq zq za", "zq zb zc zd zf"]
    hits = index([*texts, *rare]).find("zq zz", 10)
    assert [each.passage.anchor for each in hits] == ["40", "41"]
    for each in hits:
        place = int(each.passage.anchor)
        assert each.score == pytest.approx(by_formula([*texts, *rare], ["zq"], place), rel=1e-9)


def test_endings_case_and_accents_do_not_matter() -> None:
    assert found(VELM, "CLOSE") == [
        "1",
        "0",
    ]  # closes and closed are one word; the shorter passage is first
    assert found(("naïve", "other", "third"), "NAIVE") == ["0"]
    assert found(("日本語", "other", "third"), "日本語") == ["0"]


def test_words_in_half_of_all_passages_add_nothing() -> None:
    assert found(VELM, "the password") == ["3"]
    assert set(found(VELM, "the")) == {"0", "1", "3"}  # they count if there are no others
    assert found(VELM, "zebra") == found(VELM, "") == found(VELM, "?!") == []


def test_matching_words_are_marked() -> None:
    (first, *_) = index(VELM).find("When does the library close?", 5)
    text = first.passage.text
    assert [text[start:stop] for start, stop in first.marks] == ["library", "closes"]


def test_a_large_index_scores_few_passages_and_finds_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(1)
    texts = [
        " ".join(f"w{int(chance.paretovariate(0.6)) % 300}" for _ in range(40)) for _ in range(800)
    ]
    there = index(texts)
    queries = [f"w{chance.randint(100, 299)} w2 w3 w5" for _ in range(30)]
    exact = [[each.passage.anchor for each in there.find(query, 3)] for query in queries]
    monkeypatch.setattr(full_text, "MOST_SCORED", 40)
    quick = [[each.passage.anchor for each in there.find(query, 3)] for query in queries]
    same = sum(one[:1] == other[:1] for one, other in zip(exact, quick, strict=True))
    assert same >= 27


@given(st.text(max_size=80))
def test_any_query_is_text(query: str) -> None:
    """No operator of the query language has an effect, and nothing is an error."""
    for each in THERE.find(query, 3):
        assert each.score > 0


@given(st.lists(st.sampled_from(["AND", "OR", "NOT", "NEAR", '"', "(", ")", "*", "^", ":", "text",
                                 "heading:", "{", "}", "-", "+", "Velm", "\0", "\ud800"]),
                max_size=12))  # fmt: skip
def test_operators_are_words(pieces: list[str]) -> None:
    hits = THERE.find(" ".join(pieces), 3)
    assert ("Velm" in pieces) <= bool(hits)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_can_be_indexed_and_is_found_as_it_was(text: str) -> None:
    there = index([f"wren {text}", "other", "third"])
    (hit,) = there.find("wren", 5)
    assert hit.passage.text == f"wren {text}"


@given(st.text(alphabet="ab\x02\x03", max_size=30))
def test_marks_in_a_text_are_harmless(text: str) -> None:
    plain, marks = unmarked(text)
    assert plain == text.replace("\x02", "").replace("\x03", "") or "\x03" in text
    assert all(0 <= start <= stop <= len(plain) for start, stop in marks)


def test_a_sqlite_without_full_text_search_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Without:
        def execute(self, statement: str) -> None:
            raise sqlite3.OperationalError("no such module: fts5")

        def close(self) -> None: ...

    full_text.require_fts5.cache_clear()
    monkeypatch.setattr(sqlite3, "connect", lambda *_: Without())
    with pytest.raises(RetrievalError, match="without full-text search"):
        full_text.require_fts5()
    full_text.require_fts5.cache_clear()


THERE = index(VELM)
