"""Requests to the models of the three families, and their responses with attention weights."""

from __future__ import annotations

from typing import Literal

import msgspec

Family = Literal["encoder", "decoder", "encoder-decoder"]
FAMILIES: tuple[Family, ...] = ("encoder", "decoder", "encoder-decoder")

Part = Literal["reading", "writing", "across"]
PARTS: dict[Family, tuple[Part, ...]] = {
    "encoder": ("reading",),
    "decoder": ("writing",),
    "encoder-decoder": ("across", "reading", "writing"),
}
"""The kinds of attention in each family. The first one is shown by default.

"reading" is attention within the input, "writing" is attention within the output, and "across" is
attention from the output to the input.
"""


def may_look(part: Part, row: int, column: int) -> bool:
    """Return whether the mask lets position `row` attend to position `column`.

    Only attention within the output has a causal mask.
    """
    return part != "writing" or column <= row


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request to process these words with the family's model."""

    family: Family
    words: tuple[str, ...]


class Guess(msgspec.Struct, frozen=True, array_like=True):
    """A word and its probability."""

    word: str
    probability: float


class Said(msgspec.Struct, frozen=True):
    """A word that a model generated.

    `row` is the word's row in the attention map. `guesses` contains the most probable words; the
    first one is the generated word. For a blank, `left` contains the decoder's most probable words
    given only the words before the blank. `left_probability` is the decoder's probability of the
    generated word.
    """

    row: int
    guesses: tuple[Guess, ...]
    left: tuple[Guess, ...] = ()
    left_probability: float = 0.0

    @property
    def word(self) -> str:
        return self.guesses[0].word

    @property
    def probability(self) -> float:
        return self.guesses[0].probability


class Attention(msgspec.Struct, frozen=True):
    """The weights of one kind of attention, as 32-bit floats [layers, heads, rows, columns]."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    layers: int
    heads: int
    weights: bytes

    def row(self, layer: int, head: int, row: int) -> tuple[float, ...]:
        """Return the attention weights of a row, one for each column. They sum to 1.

        Heads are counted from 1. Head 0 is the mean of all heads.
        """
        floats = memoryview(self.weights).cast("f")
        heads = range(self.heads) if head == 0 else (head - 1,)
        count, size = len(self.columns), len(self.rows)
        starts = [((layer * self.heads + at) * size + row) * count for at in heads]
        return tuple(
            sum(floats[start + column] for start in starts) / len(starts) for column in range(count)
        )


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The generated words, the attention weights, and the words that are not in the vocabulary."""

    said: tuple[Said, ...]
    attention: dict[Part, Attention]
    unknown: tuple[str, ...]
