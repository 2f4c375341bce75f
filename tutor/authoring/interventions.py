"""Measure the effects of patching and steering with the labs that lessons use for them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from tutor.errors import LessonError, TutorError
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.progress import Progress
from tutor.labs.patch.lab import Compare, Compute, portion
from tutor.labs.steer.pairs import NEUTRAL, Lists, Words, pairs
from tutor.labs.steer.questions import STEP, Cost, Make, Measure, at
from tutor.lm.patch import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.course.measured import PatchedNumber, Patching, SteeredNumber, SteeringNumbers
    from tutor.labs.steer.pairs import Pair
    from tutor.lm.inspect.steering import Steering
    from tutor.lm.language_model import LanguageModel


class PatchedColumn(msgspec.Struct, frozen=True):
    """The results of the same patch at every layer of a network.

    `moved` is how far each patch moves the output from text A's answer (0) toward text B's answer
    (1), and `first` is the probability of A's answer with the patch. `trouble` is the error, if
    any.
    """

    moved: tuple[float, ...] = ()
    first: tuple[float, ...] = ()
    trouble: str = ""

    def value(self, number: PatchedNumber) -> float:
        """Return `moved` in percent, or `first` as a probability, for the layer of `number`.

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


class SteeredAtRandom(msgspec.Struct, frozen=True):
    """The effects of several random vectors."""

    effects: tuple[Steered, ...] = ()
    trouble: str = ""

    def value(self, number: SteeredNumber) -> float:
        """Return the lowest or highest value over all random vectors.

        Raises `LessonError` if it could not be computed.
        """
        if self.trouble:
            raise LessonError(self.trouble)
        values = [each.value(number) for each in self.effects]
        return min(values) if number.pick == "lowest" else max(values)


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
    """Steer the model with the vector of a bundled pair of text lists, and measure the effects."""
    try:
        pair, lists = _pair(block, model)
        words = Words(pair.first_words, pair.second_words)
        spot = at(block.block - 1, round(strength / STEP))
        asked = [Measure(lists, pair.prompt, words, spot), Cost(lists, spot)]
        effect, cost = _answers("steer", asked, model)
    except TutorError as error:
        return Steered(trouble=error.happened)
    return Steered(effect.effect.first, effect.effect.second, cost.perplexity)


def steered_at_random(
    block: SteeringNumbers, strength: float, count: int, model: LanguageModel
) -> SteeredAtRandom:
    """Steer the model with `count` random vectors that are as long as the pair's vector."""
    from tutor.lm.inspect.steering import Steering, random_vectors, steering_of

    try:
        pair, lists = _pair(block, model)
        (made,) = _answers("steer", [Make(lists, block.block - 1, "vector")], model)
        length = steering_of(model, made.vector.values, block.block - 1, strength).vector.norm()
        vectors = random_vectors(count, model.network.config.width, float(length))
        effects = [
            _effects(pair, Steering(each, block.block - 1, strength), model) for each in vectors
        ]
    except TutorError as error:
        return SteeredAtRandom(trouble=error.happened)
    return SteeredAtRandom(tuple(effects))


def _pair(block: SteeringNumbers, model: LanguageModel) -> tuple[Pair, Lists]:
    """Return the bundled pair that a block names, with its lists of texts.

    Raises `LessonError` if there is no such pair or layer.
    """
    pair = next((pair for pair in pairs() if pair.name == block.pair), None)
    if pair is None:
        raise LessonError(f"There is no pair {block.pair!r}.")
    if block.block > model.network.config.layers:
        raise LessonError(f"There is no block {block.block}.")
    return pair, Lists(pair.first_texts, pair.second_texts)


def _effects(pair: Pair, steering: Steering, model: LanguageModel) -> Steered:
    """Return the effects of a vector on a pair's words and on neutral text."""
    import torch

    from tutor.labs.kit.sentence_ids import single_tokens
    from tutor.lm.chat import text_ids
    from tutor.lm.inspect.forward_pass import ForwardPass
    from tutor.lm.inspect.interventions import next_token_surprisals
    from tutor.lm.inspect.steering import steered_by

    network, streams = model.network, []
    texts = [text_ids(model, text) for text in (pair.prompt, NEUTRAL)]
    for ids in texts:
        passage = ForwardPass(network, ids, partial(steered_by, steering, network))
        while not passage.finished:
            passage.advance(1)
        streams.append(passage.stream)
    with torch.inference_mode():
        after = network.lens(streams[0][-1]).float().cpu().softmax(dim=-1)
        bits = next_token_surprisals(network, streams[1], texts[1])
    first, second = (
        float(after[single_tokens(model, words)].sum())
        for words in (pair.first_words, pair.second_words)
    )
    return Steered(first, second, 2.0 ** float(bits.mean()))


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
