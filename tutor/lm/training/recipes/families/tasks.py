"""The training tasks of the three small models, and the measurements of their results.

    encoder           fills a blank in a sentence
    decoder           continues a sentence
    encoder-decoder   writes a number in words, or puts a sentence into the plural

Sentences come from `tutor.lm.training.recipes.families.language` and numbers from
`tutor.lm.training.recipes.families.numerals`; both are drawn at random with a fixed seed. Results
are measured on examples that are held out from training. Some training words are replaced with
`UNKNOWN`, so that a model learns to cope with words that it does not know.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor

from tutor.lm.network import Config, Transformer
from tutor.lm.training.recipes.families import numerals
from tutor.lm.training.recipes.families.language import Language, held_out
from tutor.lm.training.recipes.families.networks import Encoder, EncoderDecoder, FamilyNetwork
from tutor.lm.training.recipes.families.reading import continuation, filled
from tutor.lm.training.recipes.families.text import BLANK, END, START, UNKNOWN, Vocabulary

Words = tuple[str, ...]
Batch = tuple[Tensor, ...]

EXAMPLES = 200_000
"""The number of examples in the training set."""
MEASURED = 1_000
"""The number of examples in a measurement."""
HIDDEN = 0.15
"""The probability that one word of an example is replaced with `UNKNOWN`."""
BLANKS = 0.15
"""The probability that a word becomes a blank. Every sentence has at least one blank."""
IGNORED = -100
"""The target id for positions that the loss ignores."""


class Measure(msgspec.Struct, frozen=True):
    """A measured result: a fraction of examples, or a loss in nats per word.

    `of` is the number of examples or words that were measured. `best` is the result of a model that
    knows the true distribution of the language, or None if we cannot compute this result.
    """

    name: str
    value: float
    of: int
    best: float | None = None

    def __str__(self) -> str:
        best = "" if self.best is None else f" (best possible: {self.best:.3f})"
        return f"{self.name}: {self.value:.3f} of {self.of:,}{best}"


@lru_cache(maxsize=1)
def language() -> Language:
    """Return the small language."""
    return Language()


def sentences(seed: int, count: int, *, kept_out: bool) -> Iterator[tuple[Words, Words]]:
    """Yield random pairs of a sentence and its plural.

    The sentences are held out from training if `kept_out` is True; otherwise, they are training
    examples.
    """
    pick = random.Random(f"sentences {seed}")
    while count:
        pair = language().pair(pick)
        if held_out(" ".join(pair[0])) == kept_out:
            yield pair
            count -= 1


def single_sentences(seed: int, count: int, *, kept_out: bool) -> Iterator[Words]:
    """Yield random sentences.

    They are held out from training if `kept_out` is True; otherwise, they are training examples.
    """
    pick = random.Random(f"single sentences {seed}")
    while count:
        sentence = language().sentence(pick)
        if held_out(" ".join(sentence)) == kept_out:
            yield sentence
            count -= 1


def numbers(seed: int, count: int, *, kept_out: bool) -> Iterator[tuple[Words, Words]]:
    """Yield random numbers as digits and as words.

    They are held out from training if `kept_out` is True; otherwise, they are training examples.
    """
    pick = random.Random(f"numbers {seed}")
    while count:
        number = numerals.some_number(pick)
        out = number >= numerals.ALWAYS_TRAINED and held_out(str(number))
        if out == kept_out:
            yield tuple(str(number)), numerals.in_words(number)
            count -= 1


class _ByLength:
    """Examples grouped by length, so that a batch needs no padding."""

    def __init__(self, examples: Sequence[tuple[Words, Words]]) -> None:
        self._examples = examples
        self._groups: dict[int, list[tuple[Words, Words]]] = {}
        for example in examples:
            self._groups.setdefault(len(example[0]), []).append(example)

    def some(self, pick: random.Random, size: int) -> list[tuple[Words, Words]]:
        """Return `size` random examples of equal length.

        The probability of a length is proportional to the number of examples that have it.
        """
        group = self._groups[len(_one_of(self._examples, pick)[0])]
        return [_one_of(group, pick) for _ in range(size)]


def _one_of(examples: Sequence[tuple[Words, Words]], pick: random.Random) -> tuple[Words, Words]:
    return examples[int(pick.random() * len(examples))]


def _hide(sentence: Words, pick: random.Random) -> Words:
    """With probability `HIDDEN`, replace a word other than the full stop with `UNKNOWN`."""
    if pick.random() >= HIDDEN:
        return sentence
    index = int(pick.random() * (len(sentence) - 1))
    return (*sentence[:index], UNKNOWN, *sentence[index + 1 :])


def _rows(vocabulary: Vocabulary, texts: Sequence[Sequence[str]]) -> Tensor:
    """Return the ids of texts of equal length: [texts, T]."""
    return torch.tensor([vocabulary.ids(text) for text in texts])


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)


class _OnSentences:
    """A task on sentences: the base class of the encoder's task and the decoder's task."""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Return the special tokens and the words of the language."""
        return Vocabulary.of(language().words)

    @cached_property
    def _train(self) -> _ByLength:
        drawn = single_sentences(0, EXAMPLES, kept_out=False)
        return _ByLength([(sentence, sentence) for sentence in drawn])

    def loss(self, network: FamilyNetwork, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of the target words, in nats."""
        assert isinstance(network, Transformer)
        ids, targets = batch
        return _cross_entropy(network.logits(network(ids)), targets)


class FillBlanks(_OnSentences):
    """The encoder's task: `<start> the <blank> barks .` -> `dog` at the blank."""

    def network(self, config: Config) -> Encoder:
        """Return an untrained encoder with the configuration `config`."""
        return Encoder(config)

    def batch(self, step: int, size: int, seed: int) -> Batch:
        """Return the batch of one step, which depends only on the step and the seed."""
        pick = random.Random(f"{seed} {step}")
        examples = [self._blanked(sentence, pick) for sentence, _ in self._train.some(pick, size)]
        shown, wanted = zip(*examples, strict=True)
        return _rows(self.vocabulary, shown), torch.tensor(wanted)

    def _blanked(self, sentence: Words, pick: random.Random) -> tuple[Words, list[int]]:
        """Replace some words with blanks, and return the sentence and the target ids."""
        last = len(sentence) - 1
        blanks = {index for index in range(last) if pick.random() < BLANKS}
        blanks |= {int(pick.random() * last)}
        shown = list(_hide(sentence, pick))
        wanted = [IGNORED] * (1 + len(sentence))
        for index in blanks:
            shown[index] = BLANK
            wanted[1 + index] = self.vocabulary.ids([sentence[index]])[0]
        return (START, *shown), wanted

    def measure(self, network: FamilyNetwork, count: int = MEASURED) -> tuple[Measure, ...]:
        """Replace a random word of each sentence with a blank, and count the correct answers.

        The answer is the model's most probable word. It is correct if it completes a sentence of
        the language. The first result includes only sentences in which a single word fits, and the
        second result includes all sentences.
        """
        assert isinstance(network, Encoder)
        pick = random.Random("measure blanks")
        fits, only = [], []
        for sentence in single_sentences(1, count, kept_out=True):
            index = int(pick.random() * (len(sentence) - 1))
            shown = (*sentence[:index], BLANK, *sentence[index + 1 :])
            word, _ = filled(network, self.vocabulary, shown)[0][0].guesses[0]
            fitting = language().fitting(sentence, index)
            fits.append(word in fitting)
            if len(fitting) == 1:
                only.append(word in fitting)
        return (
            Measure("blanks that only one word fits, found", sum(only) / len(only), len(only)),
            Measure("blanks filled with a word that fits", sum(fits) / len(fits), len(fits)),
        )


class Continue(_OnSentences):
    """The decoder's task: `<start> the dog` -> `barks . <end>`."""

    def network(self, config: Config) -> Transformer:
        """Return an untrained decoder with the configuration `config`."""
        return Transformer(config)

    def batch(self, step: int, size: int, seed: int) -> Batch:
        """Return the batch of one step, which depends only on the step and the seed."""
        pick = random.Random(f"{seed} {step}")
        texts = [_hide(sentence, pick) for sentence, _ in self._train.some(pick, size)]
        ids = _rows(self.vocabulary, [(START, *text, END) for text in texts])
        targets = ids[:, 1:].clone()
        targets[targets == self.vocabulary.ids([UNKNOWN])[0]] = IGNORED
        return ids[:, :-1], targets

    @torch.no_grad()
    def measure(self, network: FamilyNetwork, count: int = MEASURED) -> tuple[Measure, ...]:
        """Cut off the end of each sentence, and count the correct continuations.

        The cut is at a random index. A continuation is correct if it completes a sentence of the
        language. The second result is the loss on complete sentences.
        """
        assert isinstance(network, Transformer)
        pick = random.Random("measure beginnings")
        right, nats, least, words = 0, 0.0, 0.0, 0
        for sentence in single_sentences(1, count, kept_out=True):
            cut = 1 + int(pick.random() * (len(sentence) - 1))
            text = continuation(network, self.vocabulary, sentence[:cut])
            right += language().probability(text) > 0
            ids = torch.tensor(self.vocabulary.ids((START, *sentence, END)))
            nats += F.cross_entropy(
                network.logits(network(ids[:-1])), ids[1:], reduction="sum"
            ).item()
            least -= language().log_probability(sentence)
            words += len(sentence)
        return (
            Measure("beginnings made a sentence", right / count, count),
            Measure("nats per word", nats / words, words, least / words),
        )


class Transform:
    """The encoder-decoder's task: a number in words, or a sentence in the plural.

    For example, `4 0 7 <end>` -> `four hundred seven`, and `the dog barks . <end>` -> `the dogs
    bark .`. A sentence that is already in the plural is not changed.
    """

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Return the special tokens, the words of the language, the digits and the number words."""
        added = [word for word in numerals.WORDS if word not in language().words]
        return Vocabulary.of((*language().words, *"0123456789", *added))

    @cached_property
    def _train(self) -> _ByLength:
        half = EXAMPLES // 2
        examples = list(numbers(0, half, kept_out=False))
        return _ByLength([*examples, *sentences(0, half, kept_out=False)])

    def network(self, config: Config) -> EncoderDecoder:
        """Return an untrained encoder-decoder with the configuration `config`."""
        return EncoderDecoder(config)

    def batch(self, step: int, size: int, seed: int) -> Batch:
        """Return the batch of one step, which depends only on the step and the seed."""
        pick = random.Random(f"{seed} {step}")
        examples = [self._hidden(example, pick) for example in self._train.some(pick, size)]
        longest = 1 + max(len(wanted) for _, wanted in examples)
        padded = [[*wanted, *[END] * (longest - len(wanted))] for _, wanted in examples]
        source = _rows(self.vocabulary, [(*source, END) for source, _ in examples])
        targets = _rows(self.vocabulary, padded)
        written = F.pad(targets[:, :-1], (1, 0), value=self.vocabulary.ids([START])[0])
        for row, (_, wanted) in enumerate(examples):
            targets[row, len(wanted) + 1 :] = IGNORED
        return source, written, targets

    def _hidden(self, example: tuple[Words, Words], pick: random.Random) -> tuple[Words, Words]:
        """Replace a word of a sentence with `UNKNOWN`, both in the source and in the target."""
        source, wanted = example
        if source[-1] != ".":
            return example
        source = _hide(source, pick)
        pairs = zip(source, wanted, strict=True)
        return source, tuple(UNKNOWN if given == UNKNOWN else word for given, word in pairs)

    def loss(self, network: FamilyNetwork, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of the target words, in nats."""
        assert isinstance(network, EncoderDecoder)
        source, written, targets = batch
        return _cross_entropy(network.logits(network(network.encode(source), written)), targets)

    def measure(self, network: FamilyNetwork, count: int = MEASURED) -> tuple[Measure, ...]:
        """Return two fractions, one for numbers and one for sentences.

        Each is the fraction of examples for which every word of the output is correct.
        """
        assert isinstance(network, EncoderDecoder)
        return (
            self._right(network, "numbers", numbers(1, count, kept_out=True), count),
            self._right(network, "sentences", sentences(1, count, kept_out=True), count),
        )

    def _right(
        self,
        network: EncoderDecoder,
        what: str,
        examples: Iterator[tuple[Words, Words]],
        count: int,
    ) -> Measure:
        groups: dict[tuple[int, int], list[tuple[Words, Words]]] = {}
        for source, wanted in examples:
            groups.setdefault((len(source), len(wanted)), []).append((source, wanted))
        right = sum(self.written(network, group) for group in groups.values())
        return Measure(f"{what} transformed without a mistake", right / count, count)

    @torch.no_grad()
    def written(self, network: EncoderDecoder, examples: Sequence[tuple[Words, Words]]) -> int:
        """Return the number of examples whose whole output is correct.

        All sources must have the same length, and so must all targets. An output is correct if
        every word of the target is the model's most probable word, given the words before it. We
        give the network the whole target at once (teacher forcing), so it runs once instead of once
        per word.
        """
        vocabulary = self.vocabulary
        encoded = network.encode(_rows(vocabulary, [(*source, END) for source, _ in examples]))
        begun = _rows(vocabulary, [(START, *wanted) for _, wanted in examples])
        best = network.logits(network(encoded, begun)).argmax(-1)
        targets = _rows(vocabulary, [(*wanted, END) for _, wanted in examples])
        return int((best == targets).all(dim=-1).sum())


TASKS: dict[str, type[FillBlanks] | type[Continue] | type[Transform]] = {
    "encoder": FillBlanks,
    "decoder": Continue,
    "encoder-decoder": Transform,
}
