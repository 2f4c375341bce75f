"""Compute numbers about patching and steering with the labs that lessons use for them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from tutor.errors import LessonError, TutorError
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.progress import Progress
from tutor.labs.patch.lab import Compare, Compute, portion
from tutor.labs.steer.pairs import Lists, Words, pairs
from tutor.labs.steer.questions import STEP, Cost, Measure, at
from tutor.lm.patch import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.course.measured import PatchedNumber, Patching, SteeredNumber, SteeringNumbers
    from tutor.lm.language_model import LanguageModel


class PatchedColumn(msgspec.Struct, frozen=True):
    """The results of the same patch at every layer of a network.

    `moved` is how far each patch moves the answer from text A (0) to text B (1), and `first` is the
    probability of A's answer with the patch. `trouble` is the error, if any.
    """

    moved: tuple[float, ...] = ()
    first: tuple[float, ...] = ()
    trouble: str = ""

    def value(self, number: PatchedNumber) -> float:
        """Return the number, in percent if it is how far the answer moves.

        Raises `LessonError` if the network has no such layer.
        """
        if self.trouble:
            raise LessonError(self.trouble)
        if number.block > len(self.moved):
            raise LessonError(f"There is no block {number.block}.")
        found = self.first if number.value == "first" else self.moved
        return found[number.block - 1] * (1 if number.value == "first" else 100)


class Steered(msgspec.Struct, frozen=True):
    """The probabilities of two sets of words, and the perplexity of neutral text, with steering."""

    first: float = 0.0
    second: float = 0.0
    perplexity: float = 0.0
    trouble: str = ""

    def value(self, number: SteeredNumber) -> float:
        """Return the number. Raises `LessonError` if it could not be computed."""
        if self.trouble:
            raise LessonError(self.trouble)
        values = {"first": self.first, "second": self.second, "perplexity": self.perplexity}
        return values[number.value]


def column_of(number: PatchedNumber) -> Column:
    """Return the column of patches that a number belongs to."""
    return Column(number.component, number.source, number.at - 1, number.head - 1)


def patched(block: Patching, column: Column, model: LanguageModel) -> PatchedColumn:
    """Patch the activations of a column at every layer, and return the results."""
    texts = block.text, block.other
    try:
        pair, cells = _answers("patch", [Compare(*texts), Compute(*texts, (column,))], model)
    except TutorError as error:
        return PatchedColumn(trouble=error.happened)
    (found,) = cells.columns
    return PatchedColumn(
        moved=tuple(portion(pair.runs, cell) for cell in found),
        first=tuple(cell.first for cell in found),
    )


def steered(block: SteeringNumbers, strength: float, model: LanguageModel) -> Steered:
    """Steer the model with the vector of a shipped pair of lists, and measure the effects."""
    pair = next((pair for pair in pairs() if pair.name == block.pair), None)
    if pair is None:
        return Steered(trouble=f"There is no pair {block.pair!r}.")
    lists = Lists(pair.first_texts, pair.second_texts)
    words = Words(pair.first_words, pair.second_words)
    spot = at(block.block - 1, round(strength / STEP))
    try:
        if block.block > model.network.config.layers:
            raise LessonError(f"There is no block {block.block}.")
        asked = [Measure(lists, pair.prompt, words, spot), Cost(lists, spot)]
        effect, cost = _answers("steer", asked, model)
    except TutorError as error:
        return Steered(trouble=error.happened)
    return Steered(effect.effect.first, effect.effect.second, cost.perplexity)


def _answers(lab: str, questions: Sequence[Any], model: LanguageModel) -> list[Any]:
    """Return a lab's answers to some questions. Raises `TutorError` if a question is invalid."""
    with TemporaryDirectory() as folder:
        backend = make_backend(lab, Tools(lambda: model, lambda: None, Path(folder)))
        answers = []
        for question in questions:
            while isinstance(answer := backend.answer(question), Progress):
                pass
            answers.append(answer)
    return answers
