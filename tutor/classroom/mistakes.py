"""What is wrong about a wrong answer, in words short enough for a table.

The text of an answer is whatever stands in a learner's log: it counts only as far as the question
could have it as an answer.
"""

from tutor.course.passages import prose
from tutor.course.questions.answers import LONGEST
from tutor.course.questions.question import Question
from tutor.text import one_line


def mistakes(question: Question, text: str) -> tuple[str, ...]:
    """The mistakes of a wrong answer `text`, each once: a choice taken, one left out, a pair, an
    item out of place, or what was typed. None where the question cannot have this answer."""
    if len(text) > LONGEST:
        return ()
    answer = question.from_text(text)
    if answer is None:
        return ()
    return tuple(dict.fromkeys(question.mistakes(answer, words)))


def words(markdown: str) -> str:
    """The words of a sentence or two of a lesson, on one line."""
    return one_line(prose(markdown), 600)
