"""What is wrong about a wrong answer, in words short enough for a table.

The text of an answer is whatever stands in a learner's log: it counts only as far as the question
could have it as an answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from tutor.course.passages import prose
from tutor.course.questions.answer_text import LONGEST, from_text
from tutor.course.questions.question import (
    ComparePrompts,
    MatchQuestion,
    OrderQuestion,
    Question,
    SeveralChoices,
    SingleChoice,
)
from tutor.text import one_line


def mistakes(question: Question, text: str) -> tuple[str, ...]:
    """The mistakes of a wrong answer `text`, each once: a choice taken, one left out, a pair, an
    item out of place, or what was typed. None where the question cannot have this answer."""
    if len(text) > LONGEST:
        return ()
    return tuple(dict.fromkeys(_mistakes(question, text)))


def _mistakes(question: Question, text: str) -> Iterator[str]:
    match question, from_text(question, text):
        case _, None:
            return
        case SingleChoice(choices=choices), int(place):
            yield words(choices[place].text)
        case ComparePrompts(prompts=prompts), int(place):
            yield words(prompts[place])
        case SeveralChoices(choices=choices), frozenset(chosen):
            for place, choice in enumerate(choices):
                if choice.right and place not in chosen:
                    yield f"left out: {words(choice.text)}"
                elif place in chosen and not choice.right:
                    yield words(choice.text)
        case MatchQuestion(pairs=pairs), tuple(given):
            for place, chosen in enumerate(given):
                if place != chosen:
                    yield f"{words(pairs[place].left)} → {words(pairs[chosen].right)}"
        case OrderQuestion(items=items), tuple(order):
            for place, item in enumerate(order):
                if place != item:
                    yield f"as number {place + 1}: {words(items[item])}"
        case _, str(typed):
            yield one_line(typed.casefold())


def words(markdown: str) -> str:
    """The words of a sentence or two of a lesson, on one line."""
    return one_line(prose(markdown), 600)
