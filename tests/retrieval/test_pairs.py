"""Test that the questions for measuring search fit the course."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.shipped_course import shipped_course
from tutor import paths
from tutor.course.passages import course_passages
from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.pairs import Pair, pair_of, pairs


def test_there_are_enough_of_each_kind() -> None:
    kinds = Counter(pair.kind for pair in pairs())
    assert kinds["words"] + kinds["paraphrase"] >= 60
    assert min(kinds["words"], kinds["paraphrase"]) >= 25
    assert kinds["absent"] >= 10
    assert len({pair.ask.casefold() for pair in pairs()}) == len(pairs())


def test_every_passage_named_is_in_the_course() -> None:
    there = {passage.id: passage for passage in course_passages(shipped_course())}
    for pair in pairs():
        assert bool(pair.right) == (pair.kind != "absent"), pair.ask
        assert set(pair.right) <= there.keys(), pair.ask


def test_a_short_answer_is_in_a_right_passage_and_not_in_the_question() -> None:
    texts: dict[str, str] = {}
    for passage in course_passages(shipped_course()):
        texts[passage.id] = f"{texts.get(passage.id, '')} {passage.heading} {passage.text}"
    for pair in pairs():
        if pair.answer:
            assert any(pair.is_answered_by(texts[right]) for right in pair.right), pair.ask
            assert not pair.is_answered_by(pair.ask), pair.ask


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("It is 20.", True),
        ("twenty tokens", True),
        ("TWENTIES, or 20s", True),
        ("2016, 1.20x", False),
        ("2020", False),
        ("", False),
    ],
)
def test_answers_are_whole_words(text: str, right: bool) -> None:
    pair = Pair("words", "How many?", ("a.md",), ("20", "twenty"))
    assert pair.is_answered_by(text) == right


def test_a_pair_is_found_by_its_question() -> None:
    pair = pairs()[0]
    assert pair_of(f"  {pair.ask.upper()} ") is pair
    assert pair_of("What else?") is None


def test_a_damaged_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pairs.yaml"
    monkeypatch.setattr(paths, "retrieval_pairs", lambda: file)
    for text in ("- {kind: other, ask: x}", "- [", "x"):
        file.write_text(text)
        pairs.cache_clear()
        with pytest.raises(RetrievalError, match=r"pairs\.yaml"):
            pairs()
    pairs.cache_clear()
