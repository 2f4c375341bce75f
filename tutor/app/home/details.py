"""Describe the selected row of the course map. The text is shown on the right of a wide screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets.figures import day_name
from tutor.app.widgets.layout import hanging
from tutor.language import _
from tutor.study.memory_words import RECALL, STRENGTH, lasting, over_limit, percent
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tutor.course.outline import Outline
    from tutor.learner.review import Limits, Memory, Queue
    from tutor.study.lesson_progress import LessonProgress

_LABEL = 14

Line = tuple[str, str]
"""A label, and the text after it."""


WIDEST = 84
"""The maximum width of the text, in columns."""


def description(text: str, lines: Iterable[Line], width: int) -> Content:
    """Draw a paragraph and, below it, a list of labeled lines."""
    width = min(width, WIDEST)
    drawn = [hanging(Content(""), Content(text), width), Content("")]
    for label, words in lines:
        head = Content.styled(f"{label:<{_LABEL}}", MUTED)
        drawn.append(hanging(head, Content(words), width))
    return Content("\n").join(drawn)


def of_lesson(outline: Outline, where: LessonProgress, memory: Memory | None) -> list[Line]:
    """Return the learner's progress in a lesson, and how well they remember its answers."""
    lines = [
        (_("Screens"), _("{seen} of {screens} seen").format(seen=where.seen, screens=where.screens))
    ]
    if where.questions:
        open_, wrong = where.questions - where.answered, where.answered - where.right
        wrong_words = _("{wrong} wrong (a)") if where.wrong_words else _("{wrong} wrong")
        more = [_("{open} open").format(open=open_)] * bool(open_) + [
            wrong_words.format(wrong=wrong)
        ] * bool(wrong)
        lines.append(
            (
                "Questions",
                ", ".join(
                    [
                        _("{right}/{questions} right").format(
                            right=where.right, questions=where.questions
                        ),
                        *more,
                    ]
                ),
            )
        )
    if where.labs:
        lines.append(
            (_("Labs"), _("{goals} of {labs} done").format(goals=where.goals, labs=where.labs))
        )
    return lines + of_memory(memory)


def of_memory(memory: Memory | None) -> list[Line]:
    if memory is None or memory.recall is None or memory.strength is None:
        return []
    return [
        (RECALL, percent(memory.recall)),
        (STRENGTH, _("about {lasting} without a review").format(lasting=lasting(memory.strength))),
    ]


def of_reviews(
    forecast: Sequence[int], queue: Queue, limits: Limits, memory: Memory | None, now: float
) -> list[Line]:
    """Return the number of reviews on each of the next days, leaving out days without reviews."""
    forecast = [len(queue.due), *forecast[1:]]
    lines = [
        (day_name(now, day), counted(count, "question"))
        for day, count in enumerate(forecast)
        if count
    ]
    if queue.held:
        more = bool(queue.due)
        label = "" if more else day_name(now, 0)
        lines.insert(int(more), (label, over_limit(queue, limits, more=more)))
    return [*of_memory(memory), ("", ""), *lines] if lines else of_memory(memory)
