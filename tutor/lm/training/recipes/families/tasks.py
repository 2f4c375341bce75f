"""What each of the three small models learns to do, and how well it does it.

    encoder           puts the missing word into a sentence
    decoder           goes on with a sentence
    encoder-decoder   says a number in words, and a sentence so that it is about several

Sentences are those of `tutor.lm.training.recipes.families.language`, numbers those of
`tutor.lm.training.recipes.families.numerals`, both drawn by a seed. What is measured on was kept
from training. Now and then a word is hidden as `UNKNOWN`, so that a model can go on where it meets
a word that it does not know.
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
from tutor.lm.training.recipes.families.reading import filled, go_on
from tutor.lm.training.recipes.families.text import BLANK, END, START, UNKNOWN, Vocabulary

Words = tuple[str, ...]
Batch = tuple[Tensor, ...]

EXAMPLES = 200_000  # to train on
MEASURED = 1_000  # to measure on
HIDDEN = 0.15  # of all examples have a word hidden
BLANKS = 0.15  # of all words, at least one in a sentence
IGNORED = -100  # a target that counts for nothing


class Measure(msgspec.Struct, frozen=True):
    """`value` is a share, or nats per word; `best` that of the probabilities
    that the examples were drawn from, where these are known."""

    name: str
    value: float
    of: int
    best: float | None = None

    def __str__(self) -> str:
        best = "" if self.best is None else f" (the language itself: {self.best:.3f})"
        return f"{self.name}: {self.value:.3f} of {self.of:,}{best}"


@lru_cache(maxsize=1)
def language() -> Language:
    return Language()


def sentences(seed: int, count: int, *, kept_out: bool) -> Iterator[tuple[Words, Words]]:
    """Sentences, each with the same about several; of those to train on, or of the others."""
    pick = random.Random(f"sentences {seed}")
    while count:
        pair = language().pair(pick)
        if held_out(" ".join(pair[0])) == kept_out:
            yield pair
            count -= 1


def single_sentences(seed: int, count: int, *, kept_out: bool) -> Iterator[Words]:
    pick = random.Random(f"single sentences {seed}")
    while count:
        sentence = language().sentence(pick)
        if held_out(" ".join(sentence)) == kept_out:
            yield sentence
            count -= 1


def numbers(seed: int, count: int, *, kept_out: bool) -> Iterator[tuple[Words, Words]]:
    """Numbers as digits and as words."""
    pick = random.Random(f"numbers {seed}")
    while count:
        number = numerals.some_number(pick)
        out = number >= numerals.ALWAYS_TRAINED and held_out(str(number))
        if out == kept_out:
            yield tuple(str(number)), numerals.in_words(number)
            count -= 1


class _ByLength:
    """Examples in groups of equal length, so that a batch needs no padding."""

    def __init__(self, examples: Sequence[tuple[Words, Words]]) -> None:
        self._examples = examples
        self._groups: dict[int, list[tuple[Words, Words]]] = {}
        for example in examples:
            self._groups.setdefault(len(example[0]), []).append(example)

    def some(self, pick: random.Random, size: int) -> list[tuple[Words, Words]]:
        """`size` examples of one length; each length as often as it occurs."""
        group = self._groups[len(_one_of(self._examples, pick)[0])]
        return [_one_of(group, pick) for _ in range(size)]


def _one_of(examples: Sequence[tuple[Words, Words]], pick: random.Random) -> tuple[Words, Words]:
    return examples[int(pick.random() * len(examples))]


def _hide(sentence: Words, pick: random.Random) -> Words:
    """One of its words, but not the stop, in `HIDDEN` of all cases."""
    if pick.random() >= HIDDEN:
        return sentence
    place = int(pick.random() * (len(sentence) - 1))
    return (*sentence[:place], UNKNOWN, *sentence[place + 1 :])


def _rows(vocabulary: Vocabulary, texts: Sequence[Sequence[str]]) -> Tensor:
    """The numbers of texts of equal length [texts, T]."""
    return torch.tensor([vocabulary.ids(text) for text in texts])


def _surprise(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)


class _OnSentences:
    """What two of them share: the words, the training sentences and the loss."""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary.of(language().words)

    @cached_property
    def _train(self) -> _ByLength:
        drawn = single_sentences(0, EXAMPLES, kept_out=False)
        return _ByLength([(sentence, sentence) for sentence in drawn])

    def loss(self, network: FamilyNetwork, batch: Batch) -> Tensor:
        """Mean surprise at the right words, in nats."""
        assert isinstance(network, Transformer)
        ids, targets = batch
        return _surprise(network.logits(network(ids)), targets)


class FillBlanks(_OnSentences):
    """Encoder-only: `<start> the <blank> barks .` -> `dog` at the blank."""

    def network(self, config: Config) -> Encoder:
        return Encoder(config)

    def batch(self, step: int, size: int, seed: int) -> Batch:
        """The examples of one step; the same for the same step and seed."""
        pick = random.Random(f"{seed} {step}")
        examples = [self._blanked(sentence, pick) for sentence, _ in self._train.some(pick, size)]
        shown, wanted = zip(*examples, strict=True)
        return _rows(self.vocabulary, shown), torch.tensor(wanted)

    def _blanked(self, sentence: Words, pick: random.Random) -> tuple[Words, list[int]]:
        """With some words made blanks: what is shown, and what is to be found there."""
        last = len(sentence) - 1
        blanks = {place for place in range(last) if pick.random() < BLANKS}
        blanks |= {int(pick.random() * last)}
        shown = list(_hide(sentence, pick))
        wanted = [IGNORED] * (1 + len(sentence))
        for place in blanks:
            shown[place] = BLANK
            wanted[1 + place] = self.vocabulary.ids([sentence[place]])[0]
        return (START, *shown), wanted

    def measure(self, network: FamilyNetwork, count: int = MEASURED) -> tuple[Measure, ...]:
        """A blank in each sentence, at a place drawn by chance: how often the likeliest word is
        one that fits, and how often it is the right one where only one fits."""
        assert isinstance(network, Encoder)
        pick = random.Random("measure blanks")
        fits, only = [], []
        for sentence in single_sentences(1, count, kept_out=True):
            place = int(pick.random() * (len(sentence) - 1))
            shown = (*sentence[:place], BLANK, *sentence[place + 1 :])
            word, _ = filled(network, self.vocabulary, shown)[0][0].guesses[0]
            fitting = language().fitting(sentence, place)
            fits.append(word in fitting)
            if len(fitting) == 1:
                only.append(word in fitting)
        return (
            Measure("blanks that only one word fits, found", sum(only) / len(only), len(only)),
            Measure("blanks filled with a word that fits", sum(fits) / len(fits), len(fits)),
        )


class GoOn(_OnSentences):
    """Decoder-only: `<start> the dog` -> `barks . <end>`."""

    def network(self, config: Config) -> Transformer:
        return Transformer(config)

    def batch(self, step: int, size: int, seed: int) -> Batch:
        pick = random.Random(f"{seed} {step}")
        texts = [_hide(sentence, pick) for sentence, _ in self._train.some(pick, size)]
        ids = _rows(self.vocabulary, [(START, *text, END) for text in texts])
        targets = ids[:, 1:].clone()
        targets[targets == self.vocabulary.ids([UNKNOWN])[0]] = IGNORED
        return ids[:, :-1], targets

    @torch.no_grad()
    def measure(self, network: FamilyNetwork, count: int = MEASURED) -> tuple[Measure, ...]:
        """How often the likeliest words after the beginning of a sentence, cut at a place drawn
        by chance, make it a sentence; and how surprising whole sentences are."""
        assert isinstance(network, Transformer)
        pick = random.Random("measure beginnings")
        right, nats, least, words = 0, 0.0, 0.0, 0
        for sentence in single_sentences(1, count, kept_out=True):
            cut = 1 + int(pick.random() * (len(sentence) - 1))
            right += language().probability(go_on(network, self.vocabulary, sentence[:cut])) > 0
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
    """Encoder-decoder: `4 0 7 <end>` -> `four hundred seven`, and `the dog barks . <end>` -> `the
    dogs bark .`; what is about several already stays as it is."""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        said = [word for word in numerals.WORDS if word not in language().words]
        return Vocabulary.of((*language().words, *"0123456789", *said))

    @cached_property
    def _train(self) -> _ByLength:
        half = EXAMPLES // 2
        said = list(numbers(0, half, kept_out=False))
        return _ByLength([*said, *sentences(0, half, kept_out=False)])

    def network(self, config: Config) -> EncoderDecoder:
        return EncoderDecoder(config)

    def batch(self, step: int, size: int, seed: int) -> Batch:
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
        """With a word of a sentence hidden on both sides."""
        source, wanted = example
        if source[-1] != ".":
            return example
        source = _hide(source, pick)
        pairs = zip(source, wanted, strict=True)
        return source, tuple(UNKNOWN if read == UNKNOWN else word for read, word in pairs)

    def loss(self, network: FamilyNetwork, batch: Batch) -> Tensor:
        assert isinstance(network, EncoderDecoder)
        source, written, targets = batch
        return _surprise(network.logits(network(network.read(source), written)), targets)

    def measure(self, network: FamilyNetwork, count: int = MEASURED) -> tuple[Measure, ...]:
        """How often what it writes is right, to the last word."""
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
        """How many of these examples, all of the same lengths, it would write just as wanted:
        whether, after each beginning of what is wanted, the next word of it is the likeliest. So
        the network is run once, not once a word."""
        vocabulary = self.vocabulary
        read = network.read(_rows(vocabulary, [(*source, END) for source, _ in examples]))
        begun = _rows(vocabulary, [(START, *wanted) for _, wanted in examples])
        best = network.logits(network(read, begun)).argmax(-1)
        targets = _rows(vocabulary, [(*wanted, END) for _, wanted in examples])
        return int((best == targets).all(dim=-1).sum())


TASKS: dict[str, type[FillBlanks] | type[GoOn] | type[Transform]] = {
    "encoder": FillBlanks,
    "decoder": GoOn,
    "encoder-decoder": Transform,
}
