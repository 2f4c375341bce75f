"""Tests how an answered question looks: what is right is not marked as a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.app.whole_app import keys, sees, whole_app
from tests.sample_course import LESSON
from tutor.app.quiz.answers import LETTERS, Choices
from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.course.catalogue import Course
from tutor.course.questions.single import SingleChoice

if TYPE_CHECKING:
    from pathlib import Path

    from textual.content import Content

QUESTION = LESSON.question("cosine")


def styles(content: Content) -> str:
    return " ".join(str(span.style) for span in content.spans)


async def test_the_right_choice_is_not_marked_in_the_color_of_mistakes(tmp_path: Path) -> None:
    assert isinstance(QUESTION, SingleChoice)
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
