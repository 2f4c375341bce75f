"""Collect the questions of a course that a review can ask."""

from tutor.course.catalogue import Course
from tutor.learner.review import ReviewQuestion


def review_questions(course: Course) -> dict[str, ReviewQuestion]:
    """Return the questions of a course, by their ids.

    This uses only the outlines of the lessons, so no lesson has to be read from disk.
    """
    return {
        question.id: ReviewQuestion(
            question.id, question.version, outline.id, question.screen or ""
        )
        for outline in course.outlines
        for question in outline.questions
    }
