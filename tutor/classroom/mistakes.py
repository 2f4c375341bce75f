"""Describe the mistakes in a wrong answer, briefly enough for a table.

The text of an answer comes from a learner's log and is not trusted. If it is not a possible answer
to the question, it is ignored.
"""

from tutor.course.passages import prose
from tutor.course.questions.answers import LONGEST
from tutor.course.questions.question import Question
from tutor.text import one_line


def mistakes(question: Question, text: str) -> tuple[str, ...]:
    """Return the mistakes in the wrong answer `text`, each once.

    A mistake is a wrong choice, a missing right choice, a wrong pair, an item in the wrong
    position, or the text that the learner typed. The result is empty if `text` is not a possible
    answer.
    """
    if len(text) > LONGEST:
        return ()
    answer = question.from_text(text)
    if answer is None:
        return ()
    return tuple(dict.fromkeys(question.mistakes(answer, words)))


def words(markdown: str) -> str:
    """Return a few sentences of Markdown as one line of plain text."""
    return one_line(prose(markdown), 600)
