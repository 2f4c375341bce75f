"""The questions to the models of the three families, and their answers with attention."""

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
"""The parts of the attention of each family, starting with the part to show first: within the input
("reading"), within the output ("writing"), and from the output to the input ("across")."""


def may_look(part: Part, row: int, column: int) -> bool:
    """Return whether a position may attend to another. Only the output has a causal mask."""
    return part != "writing" or column <= row


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the output of this family's model for these words."""

    family: Family
    words: tuple[str, ...]


class Guess(msgspec.Struct, frozen=True, array_like=True):
    """A word with its probability."""

    word: str
    probability: float


class Said(msgspec.Struct, frozen=True):
    """A word that a model generated, at a row of its attention.

    `guesses` are the most probable words there, and the first one was generated. At a blank, `left`
    are the decoder's most probable words, given only the words before the blank, and
    `left_probability` is the probability that the decoder gives the generated word.
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
    """The attention weights of one part, as 32-bit floats [layers, heads, rows, columns]."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    layers: int
    heads: int
    weights: bytes

    def row(self, layer: int, head: int, row: int) -> tuple[float, ...]:
        """Return the attention of a row to each column, summing to 1.

        Heads are counted from 1; head 0 is the mean of all heads.
        """
        floats = memoryview(self.weights).cast("f")
        heads = range(self.heads) if head == 0 else (head - 1,)
        count, size = len(self.columns), len(self.rows)
        starts = [((layer * self.heads + at) * size + row) * count for at in heads]
        return tuple(
            sum(floats[start + column] for start in starts) / len(starts) for column in range(count)
        )


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The words that a model generated, its attention, and the words that it doesn't know."""

    said: tuple[Said, ...]
    attention: dict[Part, Attention]
    unknown: tuple[str, ...]
