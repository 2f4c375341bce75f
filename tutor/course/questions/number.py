"""The question type `number`: type a number. An answer is the text that the learner typed."""

import math
import re
from typing import Annotated

import msgspec

from tutor.course.questions.answers import Answer
from tutor.course.questions.base import QuestionBase, not_its_answer
from tutor.course.questions.verdict import Verdict, nothing_typed
from tutor.language import _

_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}([, '_][0-9]{3})+(\.[0-9]*)?")
_FRACTION = re.compile(r"([+-]?[0-9]{1,15})/([0-9]{1,15})")
_ADVICE = _("Enter a number such as 0.25, 25 %, 1/4 or 2e-3.")
_DASHES = str.maketrans({"−": "-", "–": "-", "\u00a0": " ", "\u202f": " ", "’": "'"})


class NumberQuestion(QuestionBase, frozen=True, kw_only=True, tag="number"):
    """A question whose answer is a number.

    A number is right if it differs from `answer` by at most `tolerance`. `unit` is shown after the
    input field.
    """

    answer: float
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    unit: Annotated[str, msgspec.Meta(max_length=30)] = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.answer) and math.isfinite(self.tolerance)):
            raise ValueError("`answer` and `tolerance` must be finite numbers")

    def grade(self, answer: Answer) -> Verdict:
        """Grade the answer as right if any interpretation of the text is within the tolerance."""
        if not isinstance(answer, str):
            raise not_its_answer(self, answer)
        if not answer.strip():
            return nothing_typed(_ADVICE)
        numbers = readings(answer, self.unit)
        if not numbers:
            return Verdict(False, not_a_number(answer), counted=False)
        unit = f" {self.unit}" if self.unit else ""
        # With no slack, 0.1 + 0.2 would not be accepted for 0.3, because of rounding.
        slack = self.tolerance + 1e-9 * max(1.0, abs(self.answer))
        if any(abs(number - self.answer) <= slack for number in numbers):
            return Verdict(
                True, _("Right: {answer:.10g}{unit}.").format(answer=self.answer, unit=unit)
            )
        low = numbers[0] < self.answer
        said = (
            _("{number:.10g}{unit} is too low.") if low else _("{number:.10g}{unit} is too high.")
        )
        return Verdict(False, said.format(number=numbers[0], unit=unit))


def readings(text: str, unit: str = "") -> tuple[float, ...]:
    """Return the numbers that `text` can mean, the most likely first, or an empty result.

    The text can contain a decimal comma, grouped thousands, a fraction, a percent sign, and the
    question's own `unit`. For example, "49,152" can mean 49152 or, with a decimal comma, 49.152,
    and "50 %" can mean 50 or 0.5.
    """
    text = " ".join(text.translate(_DASHES).split()).casefold()
    percent = text.endswith("%")
    for ending in (unit.casefold(), "%"):
        if ending:
            text = text.removesuffix(ending).rstrip()
    found = _numbers(text)
    if percent:
        found += [number / 100 for number in found]
    return tuple(dict.fromkeys(found))


def not_a_number(text: str) -> str:
    """Return a message that says why `text` is not a number and what the learner can type."""
    return _("“{text}” cannot be read as a number. {advice}").format(
        text=text.strip(), advice=_ADVICE
    )


def _numbers(text: str) -> list[float]:
    found: list[float] = []
    if _GROUPED.fullmatch(text):
        found.append(float(re.sub(r"[, '_]", "", text)))
    if _PLAIN.fullmatch(text):
        found.append(float(text))
    if "." not in text and _PLAIN.fullmatch(text.replace(",", ".", 1)):
        found.append(float(text.replace(",", ".", 1)))
    if (fraction := _FRACTION.fullmatch(text.replace(" ", ""))) and int(fraction[2]) != 0:
        found.append(int(fraction[1]) / int(fraction[2]))
    return found
