"""Answers that the live model judges: what it says at that moment, and what to show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tutor.app.quiz.compare import compare
from tutor.app.quiz.guess_table import compared_table, guess_table
from tutor.app.quiz.next_token import look_up
from tutor.course.questions.answers import Answer
from tutor.course.questions.base import not_its_answer
from tutor.course.questions.compare import Compared, ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion

if TYPE_CHECKING:
    from tutor.course.questions.question import Question
    from tutor.engine.api import Engine


class Live(msgspec.Struct, frozen=True):
    """`answer` is what there is to grade, `table` what the model says."""

    answer: Answer
    table: Content


async def ask_model(engine: Engine, question: Question, given: Answer, width: int) -> Live:
    """What the model says about what was typed, or about the prompt that was chosen; the table
    takes `width` columns. Raises what the engine raises, and `TextError` where nothing was
    typed."""
    match question, given:
        case NextTokenQuestion(), str(typed):
            found = await look_up(engine, question, typed)
            return Live(found.guess.rank, guess_table(found, width))
        case ComparePrompts(), int(chosen):
            sides = await compare(engine, question)
            answer = Compared(chosen, (sides[0].value, sides[1].value))
            return Live(answer, compared_table(sides, width))
    raise not_its_answer(question, given)
