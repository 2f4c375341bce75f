"""Describe suggested next steps in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.study.next_step import AnswerQuestions, Review
from tutor.text import counted

if TYPE_CHECKING:
    from tutor.course.catalogue import Course
    from tutor.study.next_step import NextStep


def in_words(course: Course, step: NextStep | None) -> str:
    """Return a sentence that describes a next step, or "" if there is none."""
    if step is None:
        return ""
    if isinstance(step, Review):
        return f"Review the {counted(step.due, 'question')} due now."
    outline = course.outline(step.lesson)
    name = f"lesson {outline.number}, {outline.title}" if outline else "the lesson"
    if isinstance(step, AnswerQuestions):
        return f"Answer the questions of {name}."
    return f"{'Continue' if step.begun else 'Begin'} {name}."
