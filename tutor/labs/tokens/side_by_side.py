"""Data types for the view of several tokenizers, and functions that compare their tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

import msgspec

from tutor.language import _

SAMPLES: dict[str, str] = {
    "en": "All human beings are born free and equal in dignity and rights.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "zh": "人人生而自由，在尊严和权利上一律平等。",
    "ar": "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "hi": ("सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।"),
}
"""The first sentence of the Universal Declaration of Human Rights, by language code."""

LANGUAGES: dict[str, str] = {
    "en": _("English"),
    "de": _("German"),
    "fr": _("French"),
    "zh": _("Chinese"),
    "ar": _("Arabic"),
    "ru": _("Russian"),
    "el": _("Greek"),
    "hi": _("Hindi"),
}

MOST_GIVEN = 6
"""The maximum number of tokenizers that the learner can add."""
LONGEST_NAME = 500
"""The maximum length of a path or a name, in characters."""


class Source(msgspec.Struct, frozen=True):
    """A tokenizer that can split the text.

    Attributes:
        name: The name of an installed model, or the path that the learner has given. It is empty
            for the loaded model.
        given: True if the learner has given a path.
    """

    name: str = ""
    given: bool = False


class Listing(msgspec.Struct, frozen=True, tag=True):
    """A request for the names of the installed models, without the loaded one."""


class Installed(msgspec.Struct, frozen=True, tag=True):
    names: tuple[str, ...]


class Split(msgspec.Struct, frozen=True, tag=True):
    """A request to split a text and the samples with one tokenizer."""

    source: Source
    text: str


class Side(msgspec.Struct, frozen=True, tag=True):
    """The results of one tokenizer for the text and the samples.

    Attributes:
        label: The name on the screen.
        vocabulary: The number of tokens in the vocabulary.
        pieces: The bytes of each token of the text.
        samples: The number of tokens in each sample, in the order of `SAMPLES`. A number is -1 if
            the tokenizer cannot split the sample.
        problem: The reason why the tokenizer cannot be read or cannot split the text, or "".
    """

    label: str
    vocabulary: int = 0
    pieces: tuple[bytes, ...] = ()
    samples: tuple[int, ...] = ()
    problem: str = ""


def cuts(text: str, pieces: Sequence[bytes]) -> frozenset[int] | None:
    """Return the byte positions in the text at which tokens begin, except for the first token.

    A space that the tokenizer adds before the text is ignored. Returns None if the tokenizer
    changes the text in another way, so that the tokens don't have the bytes of the text.
    """
    written = text.encode()
    joined = b"".join(pieces)
    plain = text.replace("▁", " ").encode()
    before = len(joined) - len(plain)
    if joined not in (written, plain, b" " + plain):
        return None
    if joined == written:
        before = 0
    elif b"\xe2\x96\x81" in written:
        return None  # A three-byte `▁` became a one-byte space, so positions differ.
    ends = accumulate(len(piece) for piece in pieces)
    return frozenset(end - before for end in ends if 0 < end - before < len(written))


def marks(text: str, sides: Mapping[Source, Side]) -> dict[Source, tuple[str, ...]]:
    """Return a mark for each character of the text, for each tokenizer that has not changed it.

    The marks are "|" if all tokenizers begin a token at this character, "^" if only some do, "+" if
    a token begins inside the character, and otherwise a space.
    """
    found = {source: cuts(text, side.pieces) for source, side in sides.items() if side.pieces}
    known = {source: places for source, places in found.items() if places is not None}
    shared = frozenset.intersection(*known.values()) if known else frozenset()
    ends = accumulate(len(character.encode()) for character in text)
    spans = list(pairwise((0, *ends)))
    return {
        source: tuple(_mark(begin, end, places, shared) for begin, end in spans)
        for source, places in known.items()
    }


def _mark(begin: int, end: int, places: frozenset[int], shared: frozenset[int]) -> str:
    if any(place in places for place in range(begin + 1, end)):
        return "+"
    if begin not in places:
        return " "
    return "|" if begin in shared else "^"


def bytes_each(text: str, side: Side) -> float | None:
    """Return the mean number of bytes per token of the text, or None if there are no tokens."""
    return len(text.encode()) / len(side.pieces) if side.pieces else None


def twice_as_many(text: str, sides: Mapping[Source, Side]) -> bool:
    """Return True if a tokenizer splits the text into at least twice as many tokens as another."""
    counts = [len(side.pieces) for side in sides.values() if side.pieces]
    return len(text) >= 10 and bool(counts) and max(counts) >= 2 * min(counts)
