"""Describe suggested next steps in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
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
        return _("Review the {questions} that are due now.").format(
            questions=counted(step.due, "question")
        )
    outline = course.outline(step.lesson)
    name = (
        _("lesson {number}, {title}").format(number=outline.number, title=outline.title)
        if outline
        else _("the lesson")
    )
    if isinstance(step, AnswerQuestions):
        return _("Answer the questions of {name}.").format(name=name)
    said = _("Continue {name}.") if step.begun else _("Begin {name}.")
    return said.format(name=name)
