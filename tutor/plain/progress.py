"""Describe the learner's progress, and how well they remember the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.learner import review
from tutor.plain.words import spoken
from tutor.study.lesson_progress import lesson_progress
from tutor.study.memory_words import in_one_line, over_limit
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.plain.place import Services


def progress_lines(services: Services) -> Iterator[str]:
    """Yield the figures of the progress screen as sentences."""
    progress, course = services.progress, services.course
    state, cards, now = progress.state(), progress.cards(), progress.clock()
    started = False
    for outline in course.outlines:
        where = lesson_progress(outline, progress.lesson(outline.id), cards)
        if where.started:
            started = True
            yield (
                _(
                    "Lesson {number}, {title}: {seen} of {sections} read, {right} of {questions} "
                    "right, {goals} of {labs} done."
                ).format(
                    number=outline.number,
                    title=outline.title,
                    seen=where.seen,
                    sections=counted(where.screens, "section"),
                    right=where.right,
                    questions=counted(where.questions, "question"),
                    goals=where.goals,
                    labs=counted(where.labs, "lab"),
                )
            )
    if not started:
        yield _("You have not started a lesson yet.")
    if said := in_one_line(review.memory(state, services.asked, now)):
        yield spoken(said)
    days = review.streak(state, now)
    if days:
        yield _("You have answered questions on {days} in a row.").format(days=counted(days, "day"))
    due = review.forecast(state, services.asked, now, days=7, retention=services.retention)
    if any(due):
        yield _("{questions} due today, {later} more in the next six days.").format(
            questions=counted(due[0], "question"), later=sum(due[1:])
        )
    if (queue := services.review_queue()).held:
        yield f"{over_limit(queue, services.limits, more=False)}."
    if rounds := progress.guesses.rounds:
        mine, model = progress.guesses.learner_bits, progress.guesses.model_bits
        yield (
            _("Guessing game: {rounds}, {mine:.2f} bits per token. The model: {model:.2f}.").format(
                rounds=counted(rounds, "round"), mine=mine / rounds, model=model / rounds
            )
        )
