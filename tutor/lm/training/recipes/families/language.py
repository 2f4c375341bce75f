"""A small artificial language of simple English sentences, with exact probabilities.

The language is a list of patterns. A pattern is a sequence of slots, and a slot is a set of equally
probable words. Every pattern has a probability. To generate a sentence, draw a pattern, and then a
word for each slot:

    P(sentence) = sum over patterns of P(pattern) * product over slots of 1 / (words in the slot)

Words that depend on each other (a subject and the form of its verb, "a" and "an", an animal and its
sound, a person and "himself") are determined by the pattern. So everything about the language can
be computed exactly: whether a sentence belongs to the language, which words fit a blank and how
probable each of them is, and how well the best possible model could predict the language.

Every sentence exists in the singular and the plural: each word is stored as a pair of its two
forms.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import accumulate

import msgspec

Pair = tuple[str, str]  # singular, plural
Slot = tuple[Pair, ...]
HELD_OUT_SHARE = 20  # one example in 20 is held out from training


def alike(words: str) -> Slot:
    """Return words whose singular and plural are the same, as pairs of equal strings."""
    return tuple((word, word) for word in words.split())


def regular(words: str) -> Slot:
    """Return nouns as pairs of singular and plural.

    An irregular plural is written after a slash: "dog", "wolf/wolves".
    """
    return tuple((one, many or one + "s") for one, _, many in _split(words))


def verbs(words: str) -> Slot:
    """Return verbs as pairs of singular and plural, given their plurals.

    An irregular singular is written after a slash: "bark", "go/goes".
    """
    return tuple((of_one or word + "s", word) for word, _, of_one in _split(words))


def _split(words: str) -> Iterator[tuple[str, str, str]]:
    return (word.partition("/") for word in words.split())


# Nouns. Words that take "an" come last.

MEN = regular("man/men boy king father brother teacher doctor farmer uncle actor")
WOMEN = regular("woman/women girl queen mother sister teacher doctor farmer aunt artist")
ANIMALS = regular("dog cat cow duck frog bee lion wolf/wolves horse bird mouse/mice goat owl eagle")
THINGS = regular("ball book cake letter picture box/boxes cup lamp stone key apple egg orange")
PLACES = regular("house tree river garden road school lake hill field bridge wall city/cities")
SOUNDS = {
    "dog": "bark", "cat": "meow", "cow": "moo", "duck": "quack", "frog": "croak", "lion": "roar",
    "bee": "buzz/buzzes", "wolf": "howl", "horse": "neigh",
}  # fmt: skip
FLYING = regular("duck bee bird owl eagle")

# Adjectives, verbs and other words

OF_PEOPLE = "small big young happy quiet kind clever strange old angry"
OF_ANIMALS = "small big young quiet brown white black strange old angry ugly"
OF_THINGS = "small big new red blue green white black heavy strange old ugly"
STATES = alike("tired hungry thirsty cold late sick afraid alone")
LIVING_DO = verbs("sleep run wait eat drink walk jump hide rest stop")
PEOPLE_DO = verbs("read write talk laugh cook work dance sing")
TO_LIVING = verbs("see follow hear like help watch/watches")
TO_ONESELF = verbs("see hear help watch/watches wash/washes")
TO_THINGS = verbs("carry/carries find buy sell hold want")
ADVERBS = alike("slowly quickly quietly often today again here outside")
TIMES = alike("morning evening night day")
PREPOSITIONS = alike("near behind beside")
DEMONSTRATIVES: Slot = (("the", "the"), ("this", "these"), ("that", "those"))
ARTICLE_A: Slot = (("a", "some"),)
ARTICLE_AN: Slot = (("an", "some"),)
COUNTS = alike("two three four many")  # plural only
THE, BE, STOP = alike("the"), (("is", "are"),), alike(".")

# Words that differ between a singular and a plural subject

MANY_NOUNS = frozenset(many for _, many in MEN + WOMEN + ANIMALS)
MANY_VERBS = frozenset(
    many
    for _, many in (
        *LIVING_DO, *PEOPLE_DO, *TO_LIVING, *TO_ONESELF, *TO_THINGS, *verbs("fly/flies"),
        *verbs(" ".join(SOUNDS.values())), *BE,
    )
)  # fmt: skip
ONE_PLACES = frozenset(one for one, _ in PLACES)
PREPOSITION_WORDS = frozenset(one for one, _ in PREPOSITIONS)


class Pattern(msgspec.Struct, frozen=True):
    """A sentence pattern, in the singular or, if `many` is True, in the plural.

    `words` contains the set of word forms for each slot.
    """

    probability: float
    slots: tuple[Slot, ...]
    many: bool
    words: tuple[frozenset[str], ...]

    @staticmethod
    def of(probability: float, slots: tuple[Slot, ...], many: bool) -> Pattern:
        words = tuple(_forms(slot, many) for slot in slots)
        return Pattern(probability, slots, many, words)


@lru_cache(maxsize=1000)
def _forms(slot: Slot, many: bool) -> frozenset[str]:
    return frozenset(pair[many] for pair in slot)


Weighted = Iterable[tuple[float, tuple[Slot, ...]]]


def either(*choices: tuple[float, Weighted]) -> list[tuple[float, tuple[Slot, ...]]]:
    """Combine groups of phrases into one list, scaling the probabilities by the groups' weights."""
    total = sum(weight for weight, _ in choices)
    return [(weight / total * p, slots) for weight, phrases in choices for p, slots in phrases]


def chain(*parts: Weighted) -> list[tuple[float, tuple[Slot, ...]]]:
    """Return all sequences of one phrase from each part.

    The probability of a sequence is the product of its phrases' probabilities.
    """
    done: list[tuple[float, tuple[Slot, ...]]] = [(1.0, ())]
    for part in parts:
        done = [(p * q, head + tail) for p, head in done for q, tail in part]
    return done


def row(*slots: Slot) -> Weighted:
    """Return a phrase that consists of `slots` and has the probability 1."""
    return [(1.0, slots)]


NOTHING = row()


def any_(nouns: Slot, adjectives: str) -> list[tuple[float, tuple[Slot, ...]]]:
    """Return phrases with "a" or "an", depending on the next word: "a dog", "an old dog"."""
    plain, vowel = _by_first_letter(nouns)
    adjective_plain, adjective_vowel = _by_first_letter(alike(adjectives))
    choices: list[tuple[float, Weighted]] = [
        (1, row(ARTICLE_A, adjective_plain, nouns)),
        (1, row(ARTICLE_AN, adjective_vowel, nouns)),
    ]
    choices += [(1, row(ARTICLE_A, plain))] if plain else []
    choices += [(1, row(ARTICLE_AN, vowel))] if vowel else []
    return either(*choices)


def named(nouns: Slot, adjectives: str) -> list[tuple[float, tuple[Slot, ...]]]:
    """Return phrases of an article or demonstrative, an optional adjective, and a noun."""
    return either(
        (3, row(DEMONSTRATIVES, nouns)),
        (3, row(DEMONSTRATIVES, alike(adjectives), nouns)),
        (4, any_(nouns, adjectives)),
    )


def _by_first_letter(slot: Slot) -> tuple[Slot, Slot]:
    """Split a slot's words into two groups: words after "a", and words after "an"."""
    vowel = tuple(pair for pair in slot if pair[0][0] in "aeiou")
    return tuple(pair for pair in slot if pair not in vowel), vowel


def _both_forms(nouns: Slot) -> Slot:
    return tuple((form, form) for pair in nouns for form in pair)


PLACE = row(PREPOSITIONS, THE, _both_forms(PLACES))


class Kind(msgspec.Struct, frozen=True):
    """A group of subjects that share verbs and adjectives.

    `about` is the group's pronoun ("he", "she" or "it"), and `self_` its reflexive pronoun, such as
    "himself".
    """

    weight: float
    nouns: Slot
    adjectives: str
    about: str
    self_: str
    does: Slot


def kinds() -> Iterator[Kind]:
    """Yield all groups of subjects."""
    yield Kind(5, MEN, OF_PEOPLE, "he", "himself", LIVING_DO + PEOPLE_DO)
    yield Kind(5, WOMEN, OF_PEOPLE, "she", "herself", LIVING_DO + PEOPLE_DO)
    yield Kind(3, ANIMALS, OF_ANIMALS, "it", "itself", LIVING_DO)
    yield Kind(1, FLYING, OF_ANIMALS, "it", "itself", verbs("fly/flies"))
    for animal, sound in SOUNDS.items():
        noun = tuple(pair for pair in ANIMALS if pair[0] == animal)
        yield Kind(0.6, noun, OF_ANIMALS, "it", "itself", verbs(sound))


def predicates(kind: Kind) -> Weighted:
    """Return all predicates that can follow a subject of the given kind."""
    pronoun: Slot = ((kind.about, "they"),)
    if kind.nouns in (MEN, WOMEN, ANIMALS):
        living = row(TO_LIVING, THE, _both_forms(MEN + WOMEN + ANIMALS))
        thing = row(TO_THINGS, THE, alike(OF_THINGS), _both_forms(THINGS))
        more: list[tuple[float, Weighted]] = [
            (2, row(BE, STATES)),
            (3, living),
            (2, thing),
            (1, row(TO_ONESELF, ((kind.self_, "themselves"),))),
        ]
    else:
        more = []
    does = chain(row(kind.does), either((2, NOTHING), (1, row(ADVERBS)), (1, PLACE)))
    reason = row(alike("because"), pronoun, BE, STATES)
    then = row(alike("and"), pronoun, LIVING_DO)
    return chain(
        either((4, does), *more),
        either((4, NOTHING), (2, reason), (1, then)),
        row(STOP),
    )


def patterns() -> Iterator[Pattern]:
    """Yield all patterns of the language. Their probabilities sum to 1."""
    everyone = list(kinds())
    total = sum(kind.weight for kind in everyone)
    opening = either((5, NOTHING), (1, row(alike("every"), TIMES)))
    beside = either((3, NOTHING), (1, PLACE))

    def sentences(kind: Kind, subject: Weighted, anyone: Weighted) -> Weighted:
        there_is = chain(row(alike("there"), BE), anyone, PLACE, row(STOP))
        return either((9, chain(opening, subject, beside, predicates(kind))), (1, there_is))

    for kind in everyone:
        nouns, adjectives = kind.nouns, kind.adjectives
        for probability, slots in sentences(
            kind, named(nouns, adjectives), any_(nouns, adjectives)
        ):
            for many in (False, True):
                yield Pattern.of(0.4 * probability * kind.weight / total, slots, many)
        counted = either((1, row(COUNTS, nouns)), (1, row(COUNTS, alike(adjectives), nouns)))
        for probability, slots in sentences(kind, counted, counted):
            yield Pattern.of(0.2 * probability * kind.weight / total, slots, True)


class Language:
    """The small language. Sentences are tuples of words, including the full stop."""

    def __init__(self) -> None:
        self._patterns = list(patterns())
        self._bounds = list(accumulate(pattern.probability for pattern in self._patterns))
        self._by_length: dict[int, list[Pattern]] = {}
        for pattern in self._patterns:
            self._by_length.setdefault(len(pattern.slots), []).append(pattern)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Return all words of the language, in alphabetical order."""
        return tuple(sorted({word for p in self._patterns for slot in p.words for word in slot}))

    def sentence(self, pick: random.Random) -> tuple[str, ...]:
        """Return a random sentence."""
        return self.pair(pick)[0]

    def pair(self, pick: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return a random sentence and its plural form (the same if it is already plural)."""
        index = bisect(self._bounds, pick.random() * self._bounds[-1])
        pattern = self._patterns[min(index, len(self._patterns) - 1)]
        drawn = [slot[int(pick.random() * len(slot))] for slot in pattern.slots]
        return tuple(pair[pattern.many] for pair in drawn), tuple(pair[1] for pair in drawn)

    def probability(self, sentence: Sequence[str]) -> float:
        """Return the probability of a sentence, or 0 if it does not belong to the language."""
        return sum(
            pattern.probability / math.prod(len(slot) for slot in pattern.slots)
            for pattern in self._by_length.get(len(sentence), ())
            if all(word in slot for word, slot in zip(sentence, pattern.words, strict=True))
        )

    def log_probability(self, sentence: Sequence[str]) -> float:
        """Return ln P(sentence). Raises `ValueError` if the sentence is not in the language."""
        return math.log(self.probability(sentence))

    def fitting(self, sentence: Sequence[str], blank: int) -> dict[str, float]:
        """Return each word that fits at index `blank`, with its probability given the other words.

        The current word at `blank` is ignored. The result is empty if no sentence of the
        language contains the other words at their positions.
        """
        weights: dict[str, float] = {}
        others = [(index, word) for index, word in enumerate(sentence) if index != blank]
        for pattern in self._by_length.get(len(sentence), ()):
            slots = pattern.words
            if all(word in slots[index] for index, word in others):
                each = pattern.probability / math.prod(len(slot) for slot in pattern.slots)
                for pair in pattern.slots[blank]:
                    word = pair[pattern.many]
                    weights[word] = weights.get(word, 0.0) + each
        total = sum(weights.values())
        return {word: weight / total for word, weight in weights.items()}


def held_out(example: str) -> bool:
    """Return True if an example is held out from training.

    The result depends only on the text of the example.
    """
    digest = blake2b(example.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % HELD_OUT_SHARE == 0
