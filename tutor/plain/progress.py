"""Describe the learner's progress, and how well they remember the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.learner import review
from tutor.plain.words import spoken
from tutor.study.lesson_progress import lesson_progress
from tutor.study.memory_words import in_one_line
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
                f"Lesson {outline.number}, {outline.title}: "
                f"{where.seen} of {counted(where.screens, 'section')} read, "
                f"{where.right} of {counted(where.questions, 'question')} right, "
                f"{where.goals} of {counted(where.labs, 'lab')} done."
            )
    if not started:
        yield "You have not started a lesson yet."
    if said := in_one_line(review.memory(state, services.asked, now)):
        yield spoken(said)
    days = review.streak(state, now)
    if days:
        yield f"You have answered questions on {counted(days, 'day')} in a row."
    due = review.forecast(state, services.asked, now, days=7)
    if any(due):
        yield f"{counted(due[0], 'question')} due today, {sum(due[1:])} more in the next six days."
    if rounds := progress.guesses.rounds:
        mine, model = progress.guesses.learner_bits, progress.guesses.model_bits
        yield (
            f"Guessing game: {counted(rounds, 'round')}, {mine / rounds:.2f} bits per token. "
            f"The model: {model / rounds:.2f}."
        )
