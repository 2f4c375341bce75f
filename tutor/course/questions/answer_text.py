"""An answer as text, for the log and for what is not answered yet, and back."""

from __future__ import annotations

from tutor.course.questions.grading import Answer, Compared, Verdict, compared, grade
from tutor.course.questions.question import (
    ComparePrompts,
    MatchQuestion,
    NextTokenQuestion,
    OrderQuestion,
    Question,
    SeveralChoices,
    SingleChoice,
)
from tutor.text import writable

LONGEST = 200
"""Characters kept of what was typed."""


def as_text(answer: Answer) -> str:
    """What was typed, or places counted from 1 as they are in the lesson file: "2", "1,3"."""
    match answer:
        case str():
            return writable(answer)[:LONGEST]
        case int():
            return str(answer + 1)
        case Compared(chosen=chosen):
            return str(chosen + 1)
        case _:
            places = sorted(answer) if isinstance(answer, (set, frozenset)) else answer
            return ",".join(str(place + 1) for place in places)


def from_text(question: Question, text: str) -> Answer | None:
    """The answer that `text` stands for; None where `question`, as it is now, cannot have it. For
    a guess at the next token it is what was typed; for two prompts to compare the place of the
    one that was chosen."""
    match question:
        case SingleChoice():
            places = _places(text, len(question.choices))
            return places[0] if len(places) == 1 else None
        case SeveralChoices():
            return frozenset(_places(text, len(question.choices))) or None
        case OrderQuestion():
            places = _places(text, len(question.items))
            return places if len(places) == len(question.items) else None
        case MatchQuestion():
            places = _places(text, len(question.pairs), again=True)
            return places if len(places) == len(question.pairs) else None
        case ComparePrompts():
            places = _places(text, len(question.prompts))
            return places[0] if len(places) == 1 else None
    return text or None


def graded_again(question: Question, text: str, *, correct: bool) -> Verdict:
    """What is said about an answer that was given earlier. What only the model can judge, or
    `question` as it is now cannot have as an answer, keeps what came of it then: `correct`."""
    answer = from_text(question, text)
    if isinstance(question, ComparePrompts) and isinstance(answer, int):
        return compared(answer, correct)
    if answer is None or isinstance(question, NextTokenQuestion):
        said = "Right" if correct else "Not yet"
        return Verdict(correct, f"{said}: you answered “{text}”.")
    return grade(question, answer)


def _places(text: str, count: int, *, again: bool = False) -> tuple[int, ...]:
    """Places below `count`, different ones unless they may come `again`; none where `text` is
    anything else."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        return ()
    places = tuple(int(part) - 1 for part in parts)
    different = again or len(set(places)) == len(places)
    sound = different and all(0 <= place < count for place in places)
    return places if sound else ()
