"""Describe the mistakes in a wrong answer, in words short enough for a table.

The text of an answer comes from a learner's log and is not trusted: it only counts if it is a
possible answer to the question.
"""

from tutor.course.passages import prose
from tutor.course.questions.answers import LONGEST
from tutor.course.questions.question import Question
from tutor.text import one_line


def mistakes(question: Question, text: str) -> tuple[str, ...]:
    """Return the mistakes in a wrong answer `text`, each once.

    A mistake is a choice taken or left out, a pair, an item out of place, or the typed text.
    The result is empty if the question cannot have this answer.
    """
    if len(text) > LONGEST:
        return ()
    answer = question.from_text(text)
    if answer is None:
        return ()
    return tuple(dict.fromkeys(question.mistakes(answer, words)))


def words(markdown: str) -> str:
    """Return the words of a few sentences of a lesson, on one line."""
    return one_line(prose(markdown), 600)
