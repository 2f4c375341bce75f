"""List the questions of a course for reviews, without screen or disk."""

from tutor.course.catalogue import Course
from tutor.learner.review import ReviewQuestion


def review_questions(course: Course) -> dict[str, ReviewQuestion]:
    """Return the questions of a course by their ids, without reading a lesson."""
    return {
        question.id: ReviewQuestion(
            question.id, question.version, outline.id, question.screen or ""
        )
        for outline in course.outlines
        for question in outline.questions
    }
