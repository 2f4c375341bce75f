"""Register the question types. A lesson file can contain the types that `Question` lists."""

from typing import get_args

from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion

Question = (
    SingleChoice
    | SeveralChoices
    | NumberQuestion
    | OrderQuestion
    | TextQuestion
    | NextTokenQuestion
    | MatchQuestion
    | ComparePrompts
)

QUESTION_TYPES: tuple[type[Question], ...] = get_args(Question)
