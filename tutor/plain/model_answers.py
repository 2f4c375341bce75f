"""Query the live model to grade an answer, and describe its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tutor.app.quiz.guesses import first_token, guessed
from tutor.course.questions.answers import Answer
from tutor.course.questions.base import not_its_answer
from tutor.course.questions.compare import Compared, ComparePrompts
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.errors import TextError
from tutor.language import _
from tutor.lm.distribution import PLAIN
from tutor.plain import words

if TYPE_CHECKING:
    from tutor.course.questions.question import Question
    from tutor.engine.api import Engine

_SHOWN = 5


class Live(msgspec.Struct, frozen=True):
    """An answer that is ready to be graded, and lines that describe the model's prediction."""

    answer: Answer
    lines: tuple[str, ...]


async def ask_model(engine: Engine, question: Question, given: Answer) -> Live:
    """Query the live model about a learner's answer, so that the answer can be graded.

    The result contains the answer in the form that `Question.grade` accepts. Raises `TutorError` if
    the learner typed nothing or the engine failed.
    """
    match question, given:
        case NextTokenQuestion(), str(typed):
            return await _look_up(engine, question, typed.strip())
        case ComparePrompts(), int(chosen):
            values = [await _value(engine, question, prompt) for prompt in question.prompts]
            return Live(Compared(chosen, (values[0], values[1])), ())
    raise not_its_answer(question, given)


async def _look_up(engine: Engine, question: NextTokenQuestion, guess: str) -> Live:
    if not guess:
        raise TextError("Nothing was typed.", "Type the next word.")
    session = await engine.open_text(question.prompt)
    try:
        top = max(question.within, _SHOWN)
        found = await session.distribution(len(session.tokens), PLAIN, seed=0, top=top)
        mine = await guessed(engine, session, guess)
    finally:
        await session.close()
    lines = [words.rank(row) for row in found.rows]
    if all(row.token.id != mine.row.token.id for row in found.rows):
        lines.append(words.rank(mine.row))
    if mine.has_more:
        lines.append(
            _("Your guess begins with the token {token}.").format(token=words.token(mine.row.token))
        )
    return Live(mine.row.rank, tuple(lines))


async def _value(engine: Engine, question: ComparePrompts, prompt: str) -> float:
    """Return the live model's value for one of the two prompts.

    The value is the probability of the question's token or, if the question has no token, the
    entropy in bits.
    """
    session = await engine.open_text(prompt)
    try:
        if question.token:
            text = question.token.replace("␣", " ")
            return (await first_token(engine, session, text)).row.probability
        found = await session.distribution(len(session.tokens), PLAIN, seed=0, top=1)
        return found.entropy_bits
    finally:
        await session.close()
