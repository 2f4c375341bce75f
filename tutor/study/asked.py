"""The questions of a course as reviews know them. Pure: no screen, no disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.learner.review import Asked

if TYPE_CHECKING:
    from tutor.course.catalogue import Course


def asked(course: Course) -> dict[str, Asked]:
    """By question id. No lesson is read for it."""
    return {
        question.id: Asked(question.id, question.version, outline.id, question.screen or "")
        for outline in course.outlines
        for question in outline.questions
    }
