"""Answer every question of the course in the real app, wrong and then right, as a learner does.

Each test opens the questions of one lesson with the keyboard, in a terminal of 80 by 24 cells.
After each answer it pages to the end of the feedback, which has to contain the whole explanation,
and no word that is not in the lesson: a word that was cut, or a mark of Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import assert_never

import pytest

from tests.pty.quiz_terminal import (
    QuizTerminal,
    asked_words,
    find,
    inline_words,
    shown_order,
    words,
)
from tests.shipped_course import shipped_course
from tutor.app.quiz.answers import LETTERS, Choices
from tutor.app.widgets import figures
from tutor.course.outline import Outline
from tutor.course.questions.answers import Answer, is_sequence
from tutor.course.questions.choices import ChoiceQuestion
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.question import Question
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion
from tutor.learner.progress import Progress
from tutor.lm.distribution import PLAIN, Distribution
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session
from tutor.paths import learner_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

COURSE = shipped_course()
WRONG_WORD = "xylophones"
"""An answer that no question accepts."""

MODEL_LINE = re.compile(r"^ *›? *[\d,]+  .* %|  entropy [\d.]+ bits|^ *Your guess begins with ")
"""A line with the live model's predictions."""
OF_THE_MODEL = re.compile(r"[\d.,]+;?|%\.?|␣\S*")
FROM_THE_MODEL = """Right: Not yet: Right. Not yet. this is the model's most probable token. your
guess has rank only rank counts. ranks to count. The entropy is bits. gets Your answer. Right
answer."""
SIGNS = {*LETTERS, *"123456789✓×○>•…│▌", "saved"}


@pytest.mark.parametrize("outline", COURSE.outlines, ids=lambda outline: outline.id)
def test_each_answer_is_judged_and_explained(
    outline: Outline,
    model_file: Path,
    language_model: LanguageModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))
    monkeypatch.setenv("TUTOR_MODEL", str(model_file))
    lesson = COURSE.lesson(outline.id)
    assert lesson is not None
    count = len(lesson.questions)
    faults: list[str] = []
    with QuizTerminal() as run:
        run.open_questions(lesson)
        for number in range(1, count + 1):
            run.wait_for_question(number)
            shown = run.read_pages()
            question = find(shown, lesson.questions)
            answers = Answers(question, language_model)
            faults += attempt(run, question, answers.wrong(shown), shown, correct=False)
            run.retry()
            faults += attempt(run, question, answers.right(), shown, correct=True)
            run.press("enter")
        run.wait_for(f"{count} of {count} right.")
    assert not faults, "\n".join(faults)
    cards = Progress.open(learner_folder()).cards()
    assert set(cards) == {question.id for question in lesson.questions}
    assert all(card.last_correct for card in cards.values())


# --- answers ------------------------------------------------------------------------------------


class Answers:
    """A right and a wrong answer to a question, by its lesson file or the live model."""

    def __init__(self, question: Question, model: LanguageModel) -> None:
        self._question = question
        self._model = model

    def right(self) -> Answer:
        match question := self._question:
            case SingleChoice():
                return self._right_choices[0]
            case SeveralChoices():
                return frozenset(self._right_choices)
            case MatchQuestion():
                return tuple(range(len(question.pairs)))
            case OrderQuestion():
                return tuple(range(len(question.items)))
            case NumberQuestion():
                return f"{question.answer:.10g}"
            case TextQuestion():
                return question.accept[0]
            case NextTokenQuestion():
                return self._after(question.prompt).rows[0].token.text.strip()
            case ComparePrompts():
                return self._larger(question)
            case _:
                assert_never(question)

    def wrong(self, shown: Sequence[str]) -> Answer:
        match question := self._question:
            case SingleChoice():
                return next(n for n, each in enumerate(question.choices) if not each.right)
            case SeveralChoices():  # one choice is right, or the first one if all of them are
                others = {*range(len(question.choices))} - {*self._right_choices}
                return frozenset({self._right_choices[0], *others}) if others else frozenset({0})
            case MatchQuestion():
                return (*range(1, len(question.pairs)), 0)
            case OrderQuestion():
                return shown_order(question, shown)  # never the right one
            case NumberQuestion():
                return f"{question.answer + 2 * question.tolerance + 1:.10g}"
            case TextQuestion() | NextTokenQuestion():
                return WRONG_WORD
            case ComparePrompts():
                return 1 - self._larger(question)
            case _:
                assert_never(question)

    @property
    def _right_choices(self) -> list[int]:
        assert isinstance(self._question, ChoiceQuestion)
        return [number for number, each in enumerate(self._question.choices) if each.right]

    def _larger(self, question: ComparePrompts) -> int:
        first, second = (self._value(question, prompt) for prompt in question.prompts)
        return 0 if first > second else 1

    def _value(self, question: ComparePrompts, prompt: str) -> float:
        found = self._after(prompt)
        if not question.token:
            return found.entropy_bits
        (id_,) = self._model.tokenizer.encode(question.token.replace("␣", " "))
        session = self._session(prompt)
        return session.rows(len(session), PLAIN, [id_])[0].probability

    def _after(self, prompt: str) -> Distribution:
        session = self._session(prompt)
        return session.distribution(len(session), PLAIN, seed=0, top=1)

    def _session(self, prompt: str) -> Session:
        return Session(self._model, self._model.tokenizer.encode(prompt))


# --- what the app says --------------------------------------------------------------------------


def attempt(
    run: QuizTerminal, question: Question, answer: Answer, shown: Sequence[str], *, correct: bool
) -> Iterator[str]:
    """Submit an answer, read the feedback to its end, and yield what is wrong with it."""
    run.answer(question, answer, shown)
    run.go_to(shown[0])
    feedback = run.read_feedback()
    for fault in feedback_faults(question, answer, feedback, correct=correct):
        yield "\n".join([f"{question.id}, {answer!r}: {fault}", *feedback])


def feedback_faults(
    question: Question, answer: Answer, feedback: Sequence[str], *, correct: bool
) -> Iterator[str]:
    text = " ".join(words(feedback))
    if not any(line.strip().startswith("✓ Right" if correct else "× ") for line in feedback):
        yield "the verdict is wrong"
    expected = [asked_words(question), inline_words(question.why), *notes(question, answer)]
    if not question.asks_model:
        verdict = question.grade(answer)
        assert verdict.correct == correct
        expected.append(inline_words(verdict.message))
    for sentence in expected:
        if sentence not in text:
            yield f"not shown: {sentence}"
    known = " ".join([*expected, *unexplained(question, answer), FROM_THE_MODEL]).split()
    seen = words([line for line in feedback if not MODEL_LINE.search(line)])
    strange = set(seen) - set(known) - SIGNS
    if question.asks_model:
        strange = {word for word in strange if not OF_THE_MODEL.fullmatch(word)}
    if strange:
        yield f"words that are not in the lesson: {sorted(strange)}"


def notes(question: Question, answer: Answer) -> Iterator[str]:
    """Yield the choices, items or pairs, each with its note, as the screen shows them."""
    if question.asks_model:
        return
    for number, note in enumerate(question.grade(answer).notes):
        # Beside “Right answer.”, the “Yes.” of the explanation would sound like praise.
        missed = note.mark == "missed"
        why = inline_words(note.why.removeprefix("Yes. ") if missed else note.why)
        match question:
            case ChoiceQuestion():
                text, said = question.choices[number].text, Choices.SAID.get(note.mark, "")
                yield f"{inline_words(text)} {said}{why}"
            case MatchQuestion():
                assert is_sequence(answer)
                yield why
            case OrderQuestion():
                assert is_sequence(answer)
                yield f"{inline_words(question.items[number])} {why}".strip()


def unexplained(question: Question, answer: Answer) -> Iterator[str]:
    """Yield texts that the screen also shows after an answer, without a note."""
    match question:
        case MatchQuestion():
            for pair in question.pairs:
                yield from (inline_words(pair.left), inline_words(pair.right))
        case ComparePrompts():
            yield from map(figures.ended, question.prompts)
        case NextTokenQuestion():
            yield f"{question.prompt} {answer}"
        case TextQuestion():
            yield str(answer)
        case NumberQuestion():
            yield f"{answer} {question.unit}"
