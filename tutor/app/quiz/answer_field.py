"""Which widgets a question of each type is answered with, and what is said about how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tutor.app.quiz.answers import Choices, Ordering, TypedAnswer
from tutor.app.quiz.matching import Matching
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.inline import inline
from tutor.course.questions.question import (
    ComparePrompts,
    MatchQuestion,
    NextTokenQuestion,
    NumberQuestion,
    OrderQuestion,
    Question,
    SeveralChoices,
    SingleChoice,
)
from tutor.course.questions.shuffle import choice_order
from tutor.text import safe

if TYPE_CHECKING:
    from textual.widget import Widget

_NUMBER_KEYS = "0123456789.,-+/%e "


def how_to_answer(question: Question) -> str:
    """What the key line alone would not tell."""
    match question:
        case SeveralChoices():
            return "Tick every one that is right, by its letter."
        case OrderQuestion():
            return "Put them in order, the first at the top: ← and → move an item."
        case MatchQuestion():
            return "Go to a line with ↑ and ↓, and press the letter of what belongs to it."
        case ComparePrompts():
            return "The model is asked when you have answered."
    return ""


def answer_widgets(question: Question, seed: int) -> list[Widget]:
    """What stands below the question: one `Choices`, `Ordering`, `Matching` or `TypedAnswer`, and
    what belongs to it. `seed` decides the order of choices."""
    order = choice_order(question, seed)
    match question:
        case SingleChoice() | SeveralChoices():
            several = isinstance(question, SeveralChoices)
            texts = [inline(choice.text) for choice in question.choices]
            return [Choices(texts, order, several=several)]
        case ComparePrompts():
            prompts = [Content(safe(figures.ended(each))) for each in question.prompts]
            return [Choices(prompts, (0, 1), several=False)]
        case MatchQuestion():
            matching = Matching(question.pairs, order)
            return [matching, matching.options]
        case OrderQuestion():
            return [Ordering([inline(item) for item in question.items], order)]
        case NumberQuestion():
            field = TypedAnswer(allowed=_NUMBER_KEYS, placeholder="a number")
            return [_field(field, question.unit)]
        case NextTokenQuestion():
            prompt = Content.assemble(safe(question.prompt), (" …", MUTED))
            guess = TypedAnswer(placeholder="how it goes on")
            return [Static(prompt, classes="prompt"), _field(guess)]
    return [_field(TypedAnswer(placeholder="a word or two"))]


def _field(answer: TypedAnswer, unit: str = "") -> Horizontal:
    mark = Static("> ", classes="mark", markup=False)
    return Horizontal(mark, answer, Static(safe(unit), classes="unit", markup=False), id="field")
