"""Run the three bundled models, one of each family."""

from __future__ import annotations

from functools import lru_cache

from tutor.labs.families.answers import Answer, Attention, Family, Guess, Part, Question, Said
from tutor.labs.kit.backend import Tools
from tutor.lm.network import Transformer
from tutor.lm.training.recipes.families import reading as family_reading
from tutor.lm.training.recipes.families.model import FamilyModel, load_family
from tutor.lm.training.recipes.families.networks import Encoder, EncoderDecoder
from tutor.lm.training.recipes.families.reading import AttentionMap
from tutor.lm.training.recipes.families.text import BLANK

STOPS = (".", "!", "?")


@lru_cache(maxsize=3)
def model_of(family: Family) -> FamilyModel:
    """Load the bundled model of this family. Raises `ModelError` if the model is missing."""
    return load_family(family)


class FamiliesBackend:
    """The lab's backend. Each request is for one of the three models."""

    def answer(self, question: Question) -> Answer:
        """Run the requested model, and return its output and its attention.

        Raises `ModelError` if a bundled model is missing.
        """
        model = model_of(question.family)
        match model.network:
            case Encoder() as network:
                return self._fill(network, model, question.words)
            case EncoderDecoder() as network:
                return self._transform(network, model, question.words)
            case Transformer() as network:
                return self._go_on(network, model, question.words)

    def _fill(self, network: Encoder, model: FamilyModel, words: tuple[str, ...]) -> Answer:
        """Fill the blanks with the encoder.

        If the text doesn't end with a period, add one first.
        """
        words = words if words[-1] in STOPS else (*words, ".")
        said, looks = family_reading.filled(network, model.vocabulary, words)
        blanks = (place for place, word in enumerate(words) if word == BLANK)
        beside = [
            self._beside(words[:place], one.guesses[0][0])
            for one, place in zip(said, blanks, strict=True)
        ]
        answers = tuple(
            Said(one.row, _guesses(one.guesses), left, probability)
            for one, (left, probability) in zip(said, beside, strict=True)
        )
        return Answer(answers, {"reading": _attention(looks)}, _unknown(model, words))

    def _beside(self, before: tuple[str, ...], word: str) -> tuple[tuple[Guess, ...], float]:
        """Return the decoder's best guesses after `before`, and its probability for `word`."""
        decoder = model_of("decoder")
        assert isinstance(decoder.network, Transformer)
        following = family_reading.next_words(decoder.network, decoder.vocabulary, before)
        best = tuple(following.items())[: family_reading.GUESSES]
        return _guesses(best), following.get(word, 0.0)

    def _go_on(self, network: Transformer, model: FamilyModel, words: tuple[str, ...]) -> Answer:
        """Continue the text before the first blank with the decoder.

        A final period is removed first, because after a period, the text would be complete.
        """
        before = words[: words.index(BLANK)] if BLANK in words else words
        before = before[:-1] if before and before[-1] in STOPS else before
        said, looks = family_reading.continued(network, model.vocabulary, before)
        answers = tuple(Said(one.row, _guesses(one.guesses)) for one in said)
        return Answer(answers, {"writing": _attention(looks)}, _unknown(model, before))

    def _transform(
        self, network: EncoderDecoder, model: FamilyModel, words: tuple[str, ...]
    ) -> Answer:
        if not words[-1].isdigit() and words[-1] not in STOPS:
            words = (*words, ".")
        made = family_reading.transformed(network, model.vocabulary, words)
        attention: dict[Part, Attention] = {
            "across": _attention(made.across),
            "reading": _attention(made.reading),
            "writing": _attention(made.writing),
        }
        answers = tuple(Said(one.row, _guesses(one.guesses)) for one in made.predictions)
        return Answer(answers, attention, _unknown(model, words))


def _guesses(pairs: tuple[tuple[str, float], ...]) -> tuple[Guess, ...]:
    return tuple(Guess(word, probability) for word, probability in pairs)


def _attention(looks: AttentionMap) -> Attention:
    weights = looks.weights.float().contiguous()
    layers, heads = weights.shape[:2]
    return Attention(looks.rows, looks.columns, layers, heads, weights.numpy().tobytes())


def _unknown(model: FamilyModel, words: tuple[str, ...]) -> tuple[str, ...]:
    known = set(model.vocabulary.words)
    return tuple(dict.fromkeys(word for word in words if word not in known))


def make_backend(tools: Tools) -> FamiliesBackend:
    return FamiliesBackend()
