"""Test how an answered question looks: what is right is not marked as a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.app.whole_app import keys, sees, whole_app
from tests.sample_course import LESSON
from tests.shipped_course import shipped_course
from tutor.app.quiz.answers import LETTERS, Choices
from tutor.app.quiz.question_view import Feedback, QuestionView
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.course.catalogue import Course
from tutor.course.questions.single import SingleChoice

if TYPE_CHECKING:
    from pathlib import Path

    from textual.content import Content
    from textual.pilot import Pilot

    from tutor.app.app import TutorApp


def single_choice(name: str) -> SingleChoice:
    question = LESSON.question(name)
    assert isinstance(question, SingleChoice)
    return question


QUESTION = single_choice("cosine")


def styles(content: Content) -> str:
    return " ".join(str(span.style) for span in content.spans)


async def test_the_right_choice_is_not_marked_in_the_color_of_mistakes(tmp_path: Path) -> None:
    course = Course(lessons=(msgspec.structs.replace(LESSON, questions=(QUESTION,)),))
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter", "a")
        await sees(pilot, "question 1 of 1")
        order = QUESTION.display_order(app.progress.lesson(LESSON.id).quiz_seed)
        right, wrong = order.index(1), order.index(0)
        await keys(pilot, str(wrong + 1), "enter")  # digits choose as letters do
        await sees(pilot, "× Not yet.")
        await sees(pilot, f"× {LETTERS[wrong]}")
        await sees(pilot, f"○ {LETTERS[right]}")
        choices = app.screen.query_one(Choices)
        assert NOT_YET in styles(choices.mark(wrong))
        assert RIGHT in styles(choices.mark(right))
        assert NOT_YET not in styles(choices.mark(right))
        for place in range(4):
            note = choices._row(place, 76)
            reason = QUESTION.choices[order[place]].why
            begin = note.plain.index(reason.split(" ")[0])
            gray = [each for each in note.spans if each.style == MUTED and each.start <= begin]
            assert any(begin < each.end for each in gray) == (place not in (right, wrong))


def explained(lines: int) -> Course:
    """Return a course with one question, whose explanation has this many lines."""
    short = tuple(msgspec.structs.replace(each, why="No.") for each in QUESTION.choices)
    why = " ".join(["explanation"] * 6 * lines)
    question = msgspec.structs.replace(QUESTION, choices=short, why=why)
    return Course(lessons=(msgspec.structs.replace(LESSON, questions=(question,)),))


async def answer_wrong(pilot: Pilot[None], app: TutorApp) -> QuestionView:
    await keys(pilot, "enter", "a")
    await sees(pilot, "question 1 of 1")
    order = QUESTION.display_order(app.progress.lesson(LESSON.id).quiz_seed)
    await keys(pilot, str(order.index(0) + 1), "enter")
    await sees(pilot, "× Not yet.")
    await pilot.pause()
    return app.screen.query_one(QuestionView)


@pytest.mark.parametrize("lines", [5, 11, 12, 15])
async def test_the_whole_verdict_is_in_view(tmp_path: Path, lines: int) -> None:
    app = whole_app(tmp_path, course=explained(lines))
    async with app.run_test(size=(80, 24)) as pilot:
        view = await answer_wrong(pilot, app)
        top = view.query_one(Feedback).virtual_region.y
        assert view.scroll_y == min(top, view.max_scroll_y)


async def test_the_text_stays_where_the_learner_has_scrolled_it(tmp_path: Path) -> None:
    app = whole_app(tmp_path, course=explained(12))
    async with app.run_test(size=(80, 24)) as pilot:
        view = await answer_wrong(pilot, app)
        await keys(pilot, "up")
        scrolled = view.scroll_y
        assert scrolled < view.max_scroll_y
        await pilot.resize_terminal(80, 23)
        assert view.scroll_y == scrolled


async def test_the_explanation_after_the_models_answer_is_as_high_as_its_text(
    tmp_path: Path,
) -> None:
    """Textual measured a text with the height of the text before, after the screen scrolled."""
    lesson = next(each for each in shipped_course().lessons if each.id == "prompting")
    question = lesson.question("prompting-which-example")
    assert question is not None
    course = Course(lessons=(msgspec.structs.replace(lesson, questions=(question,)),))
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "a-c choose")
        await keys(pilot, "enter")  # skips the prediction, whose letters come first
        await sees(pilot, "a questions")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of 1")
        await keys(pilot, "b", "enter")
        await sees(pilot, "gets")
        await pilot.pause()
        feedback = app.screen.query_one(Feedback)
        rules = feedback.styles.get_rules()
        lines = feedback.visual.get_height(rules, feedback.size.width)
        assert feedback.size.height == lines > 1
