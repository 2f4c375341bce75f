"""Check that lesson 13 quotes the measured figures about searching and answering."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.shipped_course import shipped_course
from tutor import paths
from tutor.cli.rag.measure import MeasuredAll, measured
from tutor.course.passages import course_passages
from tutor.labs.kit.backend import Tools, make_backend
from tutor.lm.language_model import LanguageModel
from tutor.retrieval.full_text import MemoryIndex
from tutor.retrieval.pairs import pairs
from tutor.retrieval.ranking import first_right, mean_reciprocal_rank, recall_at

MOVED = 0.05
"""The most that edits of lessons may move a figure. Beyond that, make a new record with `tutor rag
measure --json`, and quote it in the lesson."""
OTHERWISE = 2
"""The number of answers that may differ, for the same reason or by rounding."""


def record() -> MeasuredAll:
    file = paths.retrieval_pairs().with_name("measured.json")
    return msgspec.json.decode(file.read_bytes(), type=MeasuredAll, strict=True)


def test_the_prediction_about_answers_agrees_with_the_record() -> None:
    lesson = (paths.lessons_folder() / "13-retrieval.md").read_text("utf-8")
    block = lesson.partition("id: retrieval-guess-answers\n")[2].partition("```")[0]
    assert f"\nanswer: {record().right_with}\n" in block
    assert f"\nhigh: {record().short}\n" in block


def test_search_by_words_agrees_with_the_record() -> None:
    """The figures are computed from ranked lists, without the lab."""
    index = MemoryIndex(course_passages(shipped_course()))
    answered = [pair for pair in pairs() if pair.right]
    ranks = [
        first_right(
            list(dict.fromkeys(hit.passage.id for hit in index.find(pair.ask, 50))), pair.right
        )
        for pair in answered
    ]
    said = record()
    assert (said.questions, said.absent) == (len(answered), len(pairs()) - len(answered))
    assert said.short == sum(bool(pair.answer) for pair in pairs())
    assert recall_at(ranks, 5) == pytest.approx(said.searching["words"].recall, abs=MOVED)
    assert mean_reciprocal_rank(ranks) == pytest.approx(said.searching["words"].mrr, abs=MOVED)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_all_figures_are_measured_again(language_model: LanguageModel, tmp_path: Path) -> None:
    backend = make_backend("rag", Tools(lambda: language_model, lambda: None, tmp_path))
    found, said = measured(backend.answer, lambda text: None), record()
    there = {kind: each for kind, each in said.searching.items() if kind in found.searching}
    assert set(said.searching) - set(there) <= {"encoder"}  # where it is not installed
    for kind, each in there.items():
        for name in each.__struct_fields__:
            assert getattr(found.searching[kind], name) == pytest.approx(
                getattr(each, name), abs=MOVED
            ), (kind, name)
    assert abs(found.right_with - said.right_with) <= OTHERWISE
    assert abs(found.right_without - said.right_without) <= OTHERWISE
    assert found.right_with > found.right_without
