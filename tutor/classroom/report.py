"""Compute the report that a teacher sees about a class.

The report shows each learner's position in the course, how well the class knows each idea, and
which questions are answered wrong. A figure about fewer than `FEWEST` learners could reveal
something about one of them, so it is left out. A mistake is shown only if at least `FEWEST_ALIKE`
learners made it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import TypeVar

import msgspec

from tutor.classroom.learner import Idea, IdeaBegun, Row, Studied
from tutor.classroom.mistakes import mistakes, words
from tutor.course.catalogue import Course
from tutor.course.questions.question import Question
from tutor.errors import LessonError
from tutor.learner.records import Answered
from tutor.learner.review import ReviewQuestion
from tutor.study.review_questions import review_questions

Key = TypeVar("Key")
Value = TypeVar("Value")

FEWEST = 5
FEWEST_ALIKE = 3


class IdeaFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures about one idea, from the `learners` who have begun it.

    `right` (0 to 1) is the proportion of right answers, counting each learner's latest answers.
    `recall` and `mastery` (0 to 1) are means over the learners, and `strength` is the median in
    days. `recall` and `strength` are None if every learner has suspended the questions.
    """

    lesson: str
    number: int
    screen: str
    title: str
    learners: int
    right: float
    mastery: float
    recall: float | None = None
    strength: float | None = None


class QuestionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures about one question, from the `learners` who have answered it.

    `wrong` is the number of learners whose first answer was wrong. `mistake` is the most common
    mistake, and `alike` is the number of learners who made it. They are "" and 0 if too few
    learners made the same mistake.
    """

    lesson: str
    number: int
    question: str
    asks: str
    learners: int
    wrong: int
    mistake: str = ""
    alike: int = 0

    @property
    def share(self) -> float:
        """Return the proportion of first answers that were wrong (0 to 1)."""
        return self.wrong / self.learners


class Report(msgspec.Struct, frozen=True):
    """The report on a class.

    `learners` are sorted by name, `ideas` by strength (lowest first), and `questions` by the
    proportion of wrong answers (highest first). `ideas_left_out` and `questions_left_out` are the
    numbers of ideas and questions that are left out because too few learners have answered.
    """

    learners: tuple[Row, ...]
    ideas: tuple[IdeaFigures, ...]
    questions: tuple[QuestionFigures, ...]
    ideas_left_out: int
    questions_left_out: int


def report(course: Course, class_: Sequence[Studied]) -> Report:
    questions = review_questions(course)
    known = _values(each.ideas for each in class_)
    answers = _values(each.first_answers for each in class_)
    ideas = [_idea(course, idea, found) for idea, found in _of_groups(known)]
    asked_of = [_question(course, questions[name], found) for name, found in _of_groups(answers)]
    return Report(
        tuple(sorted((each.row for each in class_), key=lambda row: row.name)),
        tuple(sorted(ideas, key=lambda each: (each.strength or 0, each.number, each.screen))),
        tuple(sorted(asked_of, key=lambda each: (-each.share, each.number, each.question))),
        len(known) - len(ideas),
        len(answers) - len(asked_of),
    )


def _values(maps: Iterable[Mapping[Key, Value]]) -> dict[Key, list[Value]]:
    """Collect the values of each key, from all `maps`, in a list."""
    values: dict[Key, list[Value]] = {}
    for each in maps:
        for key, value in each.items():
            values.setdefault(key, []).append(value)
    return values


def _of_groups(values: Mapping[Key, list[Value]]) -> list[tuple[Key, list[Value]]]:
    return [(key, found) for key, found in values.items() if len(found) >= FEWEST]


def _idea(course: Course, idea: Idea, known: Sequence[IdeaBegun]) -> IdeaFigures:
    lesson, screen = idea
    outline = course.outline(lesson)
    found = outline.screen(screen) if outline else None
    recalls = [each.recall for each in known if each.recall is not None]
    strengths = [each.strength for each in known if each.strength is not None]
    return IdeaFigures(
        lesson=lesson,
        number=outline.number if outline else 0,
        screen=screen,
        title=found.title if found else screen,
        learners=len(known),
        right=sum(each.right for each in known) / sum(each.answered for each in known),
        mastery=fmean(each.mastery for each in known),
        recall=fmean(recalls) if recalls else None,
        strength=median(strengths) if strengths else None,
    )


def _question(
    course: Course, about: ReviewQuestion, answers: Sequence[Answered]
) -> QuestionFigures:
    outline, question = course.outline(about.lesson), _read(course, about.question)
    wrong = [answer.answer for answer in answers if not answer.correct]
    mistake, alike = _most_alike(question, wrong) if question else ("", 0)
    return QuestionFigures(
        lesson=about.lesson,
        number=outline.number if outline else 0,
        question=about.question,
        asks=words(question.ask) if question else "",
        learners=len(answers),
        wrong=len(wrong),
        mistake=mistake,
        alike=alike,
    )


def _read(course: Course, name: str) -> Question | None:
    try:
        found = course.question(name)
    except LessonError:  # The lesson's file has changed since the course was opened.
        return None
    return found[1] if found else None


def _most_alike(question: Question, wrong: Iterable[str]) -> tuple[str, int]:
    """Return the most common mistake in wrong answers, and the number of answers that have it.

    If two mistakes are equally common, the first in alphabetical order is returned. The result is
    "" and 0 if too few answers have the same mistake.
    """
    counts = Counter(mistake for answer in wrong for mistake in mistakes(question, answer))
    mistake, alike = min(counts.items(), key=lambda each: (-each[1], each[0]), default=("", 0))
    return (mistake, alike) if alike >= FEWEST_ALIKE else ("", 0)
