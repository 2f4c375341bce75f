"""Makes the widgets for answering a question of each type, and says how to use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tutor.app.quiz.answers import Choices, Ordering, TypedAnswer
from tutor.app.quiz.matching import Matching
from tutor.app.theme import MUTED
from tutor.app.widgets import figures
from tutor.app.widgets.inline import inline
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion
from tutor.text import safe

if TYPE_CHECKING:
    from textual.widget import Widget

    from tutor.course.questions.choices import ChoiceQuestion
    from tutor.course.questions.question import Question

_NUMBER_KEYS = "0123456789.,-+/%e "


class AnswerField(NamedTuple):
    """The area below a question: one `AnswerList` or `TypedAnswer`, and what belongs to it. `how`
    adds instructions that the key line does not give."""

    widgets: list[Widget]
    how: str = ""


def answer_field(question: Question, seed: int) -> AnswerField:
    """Return the field for an answer to `question`; `seed` decides the order of choices."""
    order = question.display_order(seed)
    match question:
        case SingleChoice():
            return AnswerField([Choices(_texts(question), order, several=False)])
        case SeveralChoices():
            choices = Choices(_texts(question), order, several=True)
            return AnswerField([choices], "Tick every one that is right, by its letter.")
        case ComparePrompts():
            prompts = [Content(safe(figures.ended(each))) for each in question.prompts]
            how = "The model is asked when you have answered."
            return AnswerField([Choices(prompts, (0, 1), several=False)], how)
        case MatchQuestion():
            matching = Matching(question.pairs, order)
            how = "Go to a line with ↑ and ↓, and press the letter of what belongs to it."
            return AnswerField([matching, matching.options], how)
        case OrderQuestion():
            ordering = Ordering([inline(item) for item in question.items], order)
            how = "Put them in order, the first at the top: ← and → move an item."
            return AnswerField([ordering], how)
        case NumberQuestion():
            number = TypedAnswer(allowed=_NUMBER_KEYS, placeholder="a number")
            return AnswerField([_field(number, question.unit)])
        case NextTokenQuestion():
            prompt = Content.assemble(safe(question.prompt), (" …", MUTED))
            guess = _field(TypedAnswer(placeholder="how it goes on"))
            return AnswerField([Static(prompt, classes="prompt"), guess])
        case TextQuestion():
            return AnswerField([_field(TypedAnswer(placeholder="a word or two"))])
        case _:
            assert_never(question)


def _texts(question: ChoiceQuestion) -> list[Content]:
    return [inline(choice.text) for choice in question.choices]


def _field(answer: TypedAnswer, unit: str = "") -> Horizontal:
    mark = Static("> ", classes="mark", markup=False)
    return Horizontal(mark, answer, Static(safe(unit), classes="unit", markup=False), id="field")
