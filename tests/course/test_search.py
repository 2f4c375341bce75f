"""Test the results of searching a course, and their order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.course.lesson_text import SMALL
from tutor.course.catalogue import Course, load_course
from tutor.course.search import Hit, search
from tutor.course.targets import ScreenTarget, TermTarget

GLOSSARY = "# Glossary\n\n## Café {#cafe}\n\nA *place*, for a [first](#cafe) coffee.\n"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    second = "\n## Second screen {#second}\n\nNothing about the first one, but `softmax`.\n"
    (tmp_path / "07-small.md").write_text(SMALL + second)
    (tmp_path / "glossary.md").write_text(GLOSSARY)
    return load_course(tmp_path)


def test_a_title_counts_more_than_the_text(course: Course) -> None:
    hits = search(course, "first screen")
    assert hits[0].target == ScreenTarget("small", "first")
    assert hits[0].title == "First screen"


def test_the_term_with_exactly_this_name_comes_first(tmp_path: Path) -> None:
    (tmp_path / "07-small.md").write_text(SMALL)
    terms = (
        "\n## Cross-entropy {#cross}\n\nLoss.\n\n## Entropy {#entropy}\n\nHow undecided it is.\n"
    )
    (tmp_path / "glossary.md").write_text(f"# Glossary\n{terms}")
    hits = search(load_course(tmp_path), " entropy ")
    assert [hit.title for hit in hits] == ["Entropy", "Cross-entropy"]


def test_terms_that_begin_with_the_words_come_before_screens(tmp_path: Path) -> None:
    screen = f"\n## Similarity in lessons {{#second}}\n\n{'Similarity, ' * 9}similar.\n"
    (tmp_path / "07-small.md").write_text(SMALL + screen)
    term = f"\n## Similarity of vectors, as one number {{#cosine}}\n\n{'A number. ' * 40}\n"
    (tmp_path / "glossary.md").write_text(f"# Glossary\n{term}")
    hits = search(load_course(tmp_path), "similar")
    assert [hit.kind for hit in hits][:2] == ["term", "lesson"]


@pytest.mark.parametrize("words", ["café", "CAFE", "caf", "coffee place"])
def test_case_accents_and_endings_do_not_matter(course: Course, words: str) -> None:
    assert [hit.target for hit in search(course, words)] == [TermTarget("cafe")]


def test_the_excerpt_is_plain_text(course: Course) -> None:
    (hit,) = search(course, "place")
    assert hit == Hit("term", "Café", "A place, for a first coffee.", TermTarget("cafe"))
    (code,) = search(course, "softmax")
    assert code.excerpt == "Nothing about the first one, but softmax."


def test_a_question_leads_to_its_screen_without_revealing_the_answer(course: Course) -> None:
    (hit,) = search(course, "which")
    assert (hit.kind, hit.target) == ("question", ScreenTarget("small", "first"))
    assert search(course, "other") == []  # hints and reasons are not searched


def test_a_question_and_its_choices_do_not_run_together(course: Course) -> None:
    (hit,) = search(course, "which")
    assert hit.excerpt == "Which? · yes · no"


def test_a_question_is_not_found_by_its_lesson_s_title(course: Course) -> None:
    (hit,) = search(course, "which")
    assert hit.title == "A small lesson"
    assert search(course, "small lesson") == []


def test_any_of_the_words_if_nothing_contains_all(course: Course) -> None:
    assert search(course, "softmax coffee zebra")
    assert search(course, "zebra") == []


@given(st.text(max_size=40) | st.text('"*()^:-+{}ANDORNEAR \x00', max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_words_are_too_strange(words: str) -> None:
    assert isinstance(search(STILL, words), list)


STILL = Course()


def test_a_lesson_that_became_invalid_does_not_hide_others(tmp_path: Path) -> None:
    (tmp_path / "07-small.md").write_text(SMALL)
    (tmp_path / "glossary.md").write_text(GLOSSARY)
    course = load_course(tmp_path)
    (tmp_path / "07-small.md").write_text("gone")
    assert [hit.kind for hit in search(course, "coffee")] == ["term"]
