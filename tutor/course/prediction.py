"""Define predictions: questions that the learner answers before a screen reveals the answer.

A prediction is never graded. The learner's guess is stored together with the answer, so that the
progress screen can show how close the guesses are. This module has a class for each type of
prediction. The fields of the class have the same names as in a lesson file.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Literal, get_args

import msgspec

from tutor.course.model_value import ModelValue, Prompt
from tutor.course.questions.answers import one_place
from tutor.course.questions.base import Id, Sentence, check_distinct
from tutor.course.questions.number import not_a_number, readings
from tutor.course.questions.spelling import plain

BLANK = "{}"
"""The placeholder in `reveal` for the computed value."""


class Revealed(msgspec.Struct, frozen=True):
    """The answer to a prediction.

    `text` is the answer as the screen shows it. `number` is its value in the unit of the
    prediction, or the rank of a guessed token. `value` is the computed value that replaces `{}` in
    `reveal`.
    """

    text: str
    number: float | None = None
    value: str = ""


class Comparison(msgspec.Struct, frozen=True):
    """The result of comparing a guess with the answer.

    `off` is the difference between a guessed number and the answer, as a fraction of the range. It
    is negative if the guess was too low. `right` is True if the guessed choice, token or word was
    right. Both are None if the guess cannot be compared with the answer.
    """

    off: float | None = None
    right: bool | None = None


class PredictionBase(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """The base class of predictions.

    `ask` is the question, and `reveal` is the text that the screen shows with the answer. Both are
    inline Markdown. If `live` is set, the model computes the value that `live` describes, and this
    value replaces `{}` in `reveal`.
    """

    id: Id
    ask: Sentence
    reveal: Sentence
    live: ModelValue | None = None

    def inline_texts(self) -> Iterator[str]:
        """Yield every text of the prediction that contains inline Markdown."""
        yield from (self.ask, self.reveal)

    @property
    def computed(self) -> ModelValue | None:
        """Return the value that the model has to compute for the answer, or None."""
        return self.live

    @property
    def written_answer(self) -> Revealed | None:
        """Return the answer in the lesson file, or None if the model computes the answer."""
        return None

    def problem(self, guess: str) -> str:
        """Return the reason why a guess cannot be used, with advice, or an empty string."""
        return ""

    def shown(self, guess: str) -> str:
        """Return a guess as text that the screen can show to the learner later."""
        return guess.strip()

    def compare(self, guess: str, answer: Revealed) -> Comparison:
        """Compare a guess with the answer. The guess must have no `problem`."""
        return Comparison()

    def _check_reveal(self) -> None:
        if self.computed is None and BLANK in self.reveal:
            raise ValueError("`reveal` contains `{}`, but there is no `live` value to fill it in")


class NumberPrediction(PredictionBase, frozen=True, kw_only=True, tag="number"):
    """A prediction of a number between `low` and `high`.

    The right number is in `answer`, or the model computes it (`live`). A computed probability is
    converted to percent if `unit` is a percent sign. With `scale: log`, the difference between
    guess and answer is measured between their logarithms, which suits a range of many orders of
    magnitude.
    """

    low: float
    high: float
    answer: float | None = None
    unit: Annotated[str, msgspec.Meta(max_length=30)] = ""
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError("`low` must be less than `high`")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("`scale: log` needs a `low` above 0")
        if (self.answer is None) == (self.live is None):
            raise ValueError("a prediction of a number needs `answer` or `live`, but not both")
        if self.answer is not None and not self.low <= self.answer <= self.high:
            raise ValueError("`answer` must be between `low` and `high`")
        if self.live is not None and self.live.value == "greedy":
            raise ValueError("`value: greedy` is text; use a prediction of type `words`")
        self._check_reveal()

    @property
    def written_answer(self) -> Revealed | None:
        return None if self.answer is None else self.as_answer(self.answer)

    @property
    def in_percent(self) -> bool:
        """True if the answer is a probability that the screen shows as a percentage."""
        return self.live is not None and self.live.value == "probability" and self.unit == "%"

    def as_answer(self, value: float) -> Revealed:
        """Return a computed value as the answer, converted to the unit of the prediction."""
        number = 100 * value if self.in_percent else value
        return Revealed(self._with_unit(number), number)

    def problem(self, guess: str) -> str:
        if self._number(guess) is not None:
            return ""
        if guess.strip() and not readings(guess, self.unit):
            return not_a_number(guess)
        return f"Type a number from {self._with_unit(self.low)} to {self._with_unit(self.high)}."

    def shown(self, guess: str) -> str:
        number = self._number(guess)
        return guess.strip() if number is None else self._with_unit(number)

    def compare(self, guess: str, answer: Revealed) -> Comparison:
        number = self._number(guess)
        if number is None or answer.number is None:
            return Comparison()
        range_ = self._at(self.high) - self._at(self.low)
        return Comparison(off=(self._at(number) - self._at(answer.number)) / range_)

    def _at(self, number: float) -> float:
        """Return the number, or its logarithm if the scale is logarithmic.

        The number is first limited to the range from `low` to `high`.
        """
        number = min(max(number, self.low), self.high)
        return math.log(number) if self.scale == "log" else number

    def _number(self, guess: str) -> float | None:
        """Return the number that the learner typed, or None if it is not in the range."""
        typed = readings(guess, self.unit)
        return next((number for number in typed if self.low <= number <= self.high), None)

    def _with_unit(self, number: float) -> str:
        digits = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
        return f"{digits} {self.unit}".rstrip()


class ChoicePrediction(PredictionBase, frozen=True, kw_only=True, tag="choice"):
    """A prediction of which of the `choices` is right.

    `right` is the number of the right choice, counted from 1. The value of `live`, if it is set,
    replaces `{}` in `reveal`.
    """

    choices: Annotated[tuple[Sentence, ...], msgspec.Meta(min_length=2, max_length=6)]
    right: Annotated[int, msgspec.Meta(ge=1)]

    def __post_init__(self) -> None:
        check_distinct(self.choices)
        if self.right > len(self.choices):
            raise ValueError(f"`right: {self.right}` is not one of {len(self.choices)} choices")
        self._check_reveal()

    @property
    def written_answer(self) -> Revealed | None:
        return Revealed(self.choices[self.right - 1], self.right)

    def problem(self, guess: str) -> str:
        return "" if self.place(guess) is not None else "Choose one of the answers."

    def shown(self, guess: str) -> str:
        place = self.place(guess)
        return guess.strip() if place is None else self.choices[place]

    def inline_texts(self) -> Iterator[str]:
        yield from super().inline_texts()
        yield from self.choices

    def compare(self, guess: str, answer: Revealed) -> Comparison:
        return Comparison(right=self.place(guess) == self.right - 1)

    def place(self, guess: str) -> int | None:
        """Return the index of the choice in a guess, or None if there is no such choice.

        The text of a guess is a number, counted from 1.
        """
        return one_place(guess.strip(), len(self.choices))


class TokenPrediction(PredictionBase, frozen=True, kw_only=True, tag="token"):
    """A prediction of the model's most probable next token after `prompt`.

    The guess is right if it equals this token, or begins with it. With `chat`, the prompt is a
    message in a conversation with the system prompt `system`.
    """

    prompt: Prompt
    chat: bool = False
    system: Annotated[str, msgspec.Meta(max_length=4000)] = ""

    def __post_init__(self) -> None:
        if self.live is not None:
            raise ValueError("a prediction of a token needs a `prompt`, not `live`")
        if self.system and not self.chat:
            raise ValueError("`system` only works with `chat: true`")

    @property
    def computed(self) -> ModelValue:
        return ModelValue(
            value="greedy", prompt=self.prompt, chat=self.chat, system=self.system, temperature=0
        )

    def compare(self, guess: str, answer: Revealed) -> Comparison:
        return Comparison(right=None if answer.number is None else answer.number == 1)


class WordsPrediction(PredictionBase, frozen=True, kw_only=True, tag="words"):
    """A prediction in the learner's own words.

    The answer is the model's greedy continuation (`live`), the first spelling in `accept`, or only
    the `reveal` text. Without `accept`, the screen shows the guess next to the answer, but does not
    compare them.
    """

    accept: Annotated[tuple[Sentence, ...], msgspec.Meta(max_length=10)] = ()

    def __post_init__(self) -> None:
        if self.live is not None and self.live.value != "greedy":
            raise ValueError("the `live` value of a prediction of words must be `value: greedy`")
        if self.live is not None and self.accept:
            raise ValueError("a prediction of words can have `accept` or `live`, but not both")
        self._check_reveal()

    @property
    def written_answer(self) -> Revealed | None:
        if self.live is not None:
            return None
        return Revealed(self.accept[0] if self.accept else "")

    def compare(self, guess: str, answer: Revealed) -> Comparison:
        if not self.accept:
            return Comparison()
        return Comparison(right=plain(guess) in {plain(spelling) for spelling in self.accept})


Prediction = NumberPrediction | ChoicePrediction | TokenPrediction | WordsPrediction

PREDICTION_TYPES: tuple[type[Prediction], ...] = get_args(Prediction)
