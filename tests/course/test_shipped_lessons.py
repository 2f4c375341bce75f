"""Test the bundled lessons."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tests.course.lesson_text import lint, parse_lesson
from tests.shipped_course import shipped_course
from tutor import paths
from tutor.authoring.release import changed, read_release
from tutor.course.catalogue import load_course
from tutor.course.facts import Fact, read_facts
from tutor.course.lesson import GOALS, Action, FrontMatter, Lab
from tutor.course.measured import Entry, Measured, OfCases, Score
from tutor.course.model_value import Value
from tutor.course.questions.base import type_name
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.question import QUESTION_TYPES
from tutor.course.targets import target
from tutor.labs.kit import registry


def test_the_linter_has_no_findings() -> None:
    assert [str(finding) for finding in lint([paths.lessons_folder()])] == []
    assert load_course().problems == ()


def test_the_second_lesson_is_complete() -> None:
    lesson = shipped_course().lesson("one-question")
    assert lesson is not None
    assert lesson.number == 2
    assert 12 <= len(lesson.screens) <= 24
    assert len(lesson.questions) >= 10
    types = {type_name(question) for question in lesson.questions}
    assert len(types) >= 5
    assert {lab.kind for lab in lesson.labs} == {"stepper", "guess"}


def test_every_question_leads_back_to_a_screen() -> None:
    for lesson in shipped_course().lessons:
        screens = {screen.id for screen in lesson.screens}
        assert {question.screen for question in lesson.questions} <= screens


def test_a_prompt_ends_where_a_token_can_begin() -> None:
    """Check the ends of prompts.

    A space belongs to the token after it, so a prompt that ends with one asks for something
    else; only the lesson about tokens does that on purpose.
    """
    for lesson in shipped_course().lessons:
        if lesson.id == "tokens":
            continue
        prompts = [lab.prompt for lab in lesson.labs]
        prompts += [each.prompt for each in lesson.questions if isinstance(each, NextTokenQuestion)]
        assert all(prompt == prompt.strip() for prompt in prompts)


def test_the_examples_for_authors_make_a_lesson() -> None:
    guide = (paths.lessons_folder() / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^(`{3,})(yaml|markdown)\n(.*?)^\1$", guide, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^    (- id: .*(?:\n      .*)+)$", guide, re.MULTILINE)
    facts = read_facts("\n".join(indented).replace("\n      ", "\n  "), "README.md")
    text = "\n".join(content for _, _, content in blocks)
    lesson = parse_lesson(text, "README.md", facts)
    assert [lab.kind for lab in lesson.labs] == ["stepper", "live"]
    assert (len(lesson.screens), len(lesson.questions)) == (2, 1)
    screen = lesson.screens[0]
    assert (len(facts), len(screen.numbers), len(lesson.labs[0].solution)) == (1, 2, 2)
    assert "def entropy_bits" in screen.body
    assert "As of 2026-02" in screen.body


def test_the_guide_is_complete() -> None:
    guide = (paths.lessons_folder() / "README.md").read_text(encoding="utf-8")
    names = [type_name(kind) for kind in QUESTION_TYPES]
    names += [str(goal.__struct_config__.tag) for goal in GOALS]
    names += [*get_args(Value), *FrontMatter.__struct_fields__, *Action.__struct_fields__]
    names += [*Lab.__struct_fields__, *Fact.__struct_encode_fields__]
    names += [name for kind in get_args(Measured) for name in kind.__struct_fields__]
    names += [name for kind in (OfCases, Score, Entry) for name in kind.__struct_fields__]
    assert [name for name in names if name not in guide] == []


def test_every_row_of_the_coverage_table_leads_to_a_screen() -> None:
    course = shipped_course()
    table = (paths.lessons_folder() / "coverage.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", table)
    assert len(links) > 100
    assert [href for href in links if target(href, course) is None] == []


@pytest.mark.parametrize("language", ["", "de"])
def test_a_glossary_entry_has_at_most_two_sentences(language: str) -> None:
    terms = load_course(language=language).glossary.values()
    sentences = {
        term.id: re.split(r"(?<=[.?!])\s+(?=[^a-z\s])", term.text.replace("et al.", "et al"))
        for term in terms
    }
    assert {name: each for name, each in sentences.items() if len(each) > 2} == {}


def test_the_course_uses_every_feature() -> None:
    course = shipped_course()
    assert [outline.number for outline in course.outlines] == list(range(1, 15))
    asked = [question for outline in course.outlines for question in outline.questions]
    assert len(asked) >= 160
    assert {question.type for question in asked} == {type_name(kind) for kind in QUESTION_TYPES}
    assert len(course.glossary) >= 80
    for outline in course.outlines:
        assert 6 <= len(outline.screens) <= 32, outline.id
        assert len(outline.questions) >= 10, outline.id
        assert outline.labs, outline.id
    for lesson in course.lessons:
        assert all(lab.solution or not lab.goals or lab.kind == "live" for lab in lesson.labs), (
            lesson.id
        )
        assert any("```text" in screen.body for screen in lesson.screens), lesson.id


def test_every_lab_is_embedded_in_its_lesson() -> None:
    embedded = {(lab.live, lesson.id) for lesson in shipped_course().lessons for lab in lesson.labs}
    assert {(lab.name, lab.lesson) for lab in registry.every()} <= embedded


def test_a_done_lab_points_to_no_neighboring_screen() -> None:
    """Its goals can be reached from other screens of the lesson, and from the list of labs."""
    labs = [lab for lesson in shipped_course().lessons for lab in lesson.labs if lab.live]
    assert not [lab.id for lab in labs if re.search("(next|previous) screen", lab.done)]


def test_the_stepper_in_the_first_lesson_says_where_its_columns_are_explained() -> None:
    """Check that learners who don't know logits and ids yet learn where to read about them."""
    course, folder = shipped_course(), paths.lessons_folder()
    first = course.lesson("generations")
    assert first is not None
    steppers = [lab for lab in first.labs if lab.kind == "stepper"]
    assert steppers
    for lab in steppers:
        assert "Lessons 2 and 3 explain the other numbers." in lab.task
    for term, file in (("logit", "02-one-question.md"), ("token-id", "03-tokens.md")):
        assert f"(glossary.md#{term})" in (folder / file).read_text(encoding="utf-8")


def test_two_screens_ask_for_different_goals_of_a_lab() -> None:
    """A goal that was reached counts on every screen with the lab."""
    for lesson in shipped_course().lessons:
        asked = [(lab.live, goal) for lab in lesson.labs if lab.live for goal in lab.goals]
        assert len(asked) == len(set(asked)), lesson.id


def test_the_release_is_up_to_date() -> None:
    """`tutor release` writes the file; lint then reports changes without a new version."""
    release = read_release(paths.lessons_folder())
    lessons = shipped_course().lessons
    assert set(release.lessons) == {lesson.id for lesson in lessons}
    assert {question.id for lesson in lessons for question in lesson.questions} <= set(
        release.questions
    )
    assert [change for lesson in lessons for change in changed(lesson, release)] == []
