"""Write a learner's progress as Markdown: a one-page report, or a page with every question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tutor.cli.markdown import plain, table
from tutor.language import _
from tutor.learner import days, review
from tutor.learner.clock import local_day_number, sensible
from tutor.learner.review import Limits
from tutor.learner.schedule import due_at
from tutor.study.lesson_progress import lesson_progress
from tutor.study.memory_words import (
    BOTH,
    RECALL,
    STRENGTH,
    in_one_line,
    lasting,
    percent,
)
from tutor.study.review_questions import review_questions
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.course.catalogue import Course
    from tutor.learner.records import Card
    from tutor.learner.state import LearnerState

WEAKEST = 5


def report(name: str, course: Course, state: LearnerState, now: float, limit: Limits) -> str:
    """Return a one-page report: what the learner has done, knows, and should review.

    `limit` has the learner's desired retention, which determines when reviews are due.
    """
    lines = [*_heading(name, now), *_summary(course, state, now, limit)]
    lines += ["", "## Lessons", "", *_lessons(course, state, now)]
    lines += _weakest(course, state, now)
    lines += _guesses(state)
    lines += [
        "",
        _(
            "{both} FSRS estimates both from your answers: which were right, when you gave them, "
            "and "
            "how much help you had."
        ).format(both=BOTH),
    ]
    return "\n".join(lines)


def details(name: str, course: Course, state: LearnerState, now: float, limit: Limits) -> str:
    """Return a page with every question that the learner has ever answered (see `report`)."""
    lines = [*_heading(name, now), *_summary(course, state, now, limit)]
    left = dict(state.cards)
    for lesson in course.outlines:
        cards = [left.pop(question.id, None) for question in lesson.questions]
        if any(cards):
            lines += ["", f"## {lesson.number} {plain(lesson.title)}", ""]
            known = [card for card in cards if card is not None]
            lines += _questions(known, limit.retention)
    if left:
        lines += ["", _("## Questions that are no longer in the course"), ""]
        lines += _questions(list(left.values()), limit.retention)
    lines += _guesses(state)
    return "\n".join(lines)


def _heading(name: str, now: float) -> list[str]:
    return [_("# Progress of {name}, {date}").format(name=plain(name), date=_date(now)), ""]


def _summary(course: Course, state: LearnerState, now: float, limit: Limits) -> list[str]:
    questions = review_questions(course)
    cards = [card for card in state.cards.values() if card.question in questions]
    due = review.queue(state, questions, now, limit)
    forecast = review.forecast(state, questions, now, retention=limit.retention)
    memory = review.memory(state, questions, now)
    answers = sum(card.answers for card in state.cards.values())
    today = local_day_number(now)
    active = days.active_days(state.days, today, 30)
    streak = review.streak(state, now)
    lines = [
        _(
            "- {count} of {questions} answered; "
            "the last answer was right for {value} of them. "
            "{answers} in total."
        ).format(
            count=len(cards),
            questions=counted(len(questions), "question"),
            value=sum(card.last_correct for card in cards),
            answers=counted(answers, "answer"),
        ),
        _("- Active on {active} of the last 30 days").format(active=active)
        + (_(", including the last {streak}.").format(streak=streak) if streak > 1 else "."),
    ]
    if said := in_one_line(memory):
        lines.append(f"- {said}")
    lines.append(
        _("- Due for review: {count} today, {forecast} within {count2} days.").format(
            count=len(due.due) + due.held_back, forecast=sum(forecast), count2=len(forecast)
        )
    )
    return lines


def _lessons(course: Course, state: LearnerState, now: float) -> Iterator[str]:
    memory = review.memory_of_lessons(state, review_questions(course), now)
    rows = []
    for lesson in course.outlines:
        where = lesson_progress(lesson, state.lesson(lesson.id), state.cards)
        of = memory.get(lesson.id)
        rows.append(
            (
                f"{lesson.number} {plain(lesson.title)}",
                _("{seen} of {screens}").format(seen=where.seen, screens=where.screens),
                _("{goals} of {labs}").format(goals=where.goals, labs=where.labs),
                _("{right} of {questions}").format(right=where.right, questions=where.questions),
                percent(of.recall) if of and of.recall is not None else "",
                lasting(of.strength) if of and of.strength is not None else "",
            )
        )
    titles = (
        _("Lesson"),
        _("Screens seen"),
        _("Labs done"),
        _("Questions right"),
        RECALL,
        STRENGTH,
    )
    return table(titles, rows)


def _weakest(course: Course, state: LearnerState, now: float) -> Iterator[str]:
    """Yield the lines of a section on the ideas that the learner remembers least well."""
    memory = review.memory_of_screens(state, review_questions(course), now)
    weakest = sorted(
        (of.strength, of.recall, key)
        for key, of in memory.items()
        if of.strength is not None and of.recall is not None
    )[:WEAKEST]
    if not weakest:
        return
    yield from ("", _("## Worth another look"), "")
    for strength, recall, (lesson_id, screen_id) in weakest:
        lesson = course.outline(lesson_id)
        screen = lesson.screen(screen_id) if lesson else None
        if lesson and screen:
            yield _("- {title} (lesson {number}): {recall} {percent}, {strength} {lasting}").format(
                title=plain(screen.title),
                number=lesson.number,
                recall=RECALL.lower(),
                percent=percent(recall),
                strength=STRENGTH.lower(),
                lasting=lasting(strength),
            )


def _guesses(state: LearnerState) -> Iterator[str]:
    guesses = state.guesses
    if guesses.rounds:
        yield from ("", _("## Guessing game"), "")
        yield _(
            "{rounds}, "
            "{learner_bits:.2f} bits per token "
            "(the model: {model_bits:.2f}). Lower is better."
        ).format(
            rounds=counted(guesses.rounds, "round"),
            learner_bits=guesses.learner_bits / guesses.rounds,
            model_bits=guesses.model_bits / guesses.rounds,
        )


def _questions(cards: Sequence[Card], retention: float) -> Iterator[str]:
    rows = [
        (
            plain(card.question),
            str(card.answers),
            str(card.correct),
            _date(card.last_at),
            "no longer asked" if card.suspended else _date(due_at(card, retention)),
        )
        for card in cards
    ]
    return table(("Question", "Answers", "Right", _("Last answered"), _("Next review")), rows)


def _date(at: float) -> str:
    return datetime.fromtimestamp(sensible(at)).strftime("%Y-%m-%d")
