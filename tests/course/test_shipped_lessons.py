"""The lessons that come with this version."""

from __future__ import annotations

import re

from tutor import paths
from tutor.course.catalogue import load_course
from tutor.course.lint import lint
from tutor.course.parse import parse_lesson
from tutor.course.question import NextTokenQuestion, type_name


def test_nothing_to_complain_about() -> None:
    assert [str(finding) for finding in lint([paths.lessons_folder()])] == []
    assert load_course().problems == ()


def test_the_second_lesson_is_complete() -> None:
    lesson = load_course().lesson("one-question")
    assert lesson is not None
    assert lesson.number == 2
    assert 8 <= len(lesson.screens) <= 12
    assert len(lesson.questions) >= 10
    types = {type_name(question) for question in lesson.questions}
    assert len(types) >= 5
    assert {lab.kind for lab in lesson.labs} == {"stepper", "guess"}


def test_every_question_leads_back_to_a_screen() -> None:
    for lesson in load_course().lessons:
        screens = {screen.id for screen in lesson.screens}
        assert {question.screen for question in lesson.questions} <= screens


def test_a_prompt_ends_where_a_token_can_begin() -> None:
    """A space belongs to the token after it; a prompt that ends in one asks something else, and
    only the lesson about tokens means to."""
    for lesson in load_course().lessons:
        if lesson.id == "tokens":
            continue
        prompts = [lab.prompt for lab in lesson.labs]
        prompts += [each.prompt for each in lesson.questions if isinstance(each, NextTokenQuestion)]
        assert all(prompt == prompt.strip() for prompt in prompts)


def test_the_examples_for_authors_are_a_lesson() -> None:
    guide = (paths.lessons_folder() / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^(`{3,})(yaml|markdown)\n(.*?)^\1$", guide, re.DOTALL | re.MULTILINE)
    lesson = parse_lesson("\n".join(content for _, _, content in blocks), "README.md")
    assert len(lesson.screens) == len(lesson.labs) == len(lesson.questions) == 1
