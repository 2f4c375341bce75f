"""What the three families are asked about a text, and what they say and look at."""

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
"""The attention of each family, what to look at first to begin with: to the text that is read, to
the text that is written, and from what is written across to what was read."""


def may_look(part: Part, row: int, column: int) -> bool:
    """Whether a position may look at another: only what writes does not look ahead."""
    return part != "writing" or column <= row


class Question(msgspec.Struct, frozen=True, tag=True):
    """What does the model of this family make of these words?"""

    family: Family
    words: tuple[str, ...]


class Guess(msgspec.Struct, frozen=True, array_like=True):
    word: str
    probability: float


class Said(msgspec.Struct, frozen=True):
    """`guesses` are the likeliest words at a row of the attention, the first of them is said.
    At a blank, `left` are those of the decoder, which sees only what stands before it, and
    `left_probability` is what the decoder gives the word that is said."""

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
    """`weights` are 32-bit floats [layers, heads, rows, columns]."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    layers: int
    heads: int
    weights: bytes

    def row(self, layer: int, head: int, row: int) -> tuple[float, ...]:
        """What a row takes from each column, summing to 1. Head 0 is the mean of all heads, the
        first is 1."""
        floats = memoryview(self.weights).cast("f")
        heads = range(self.heads) if head == 0 else (head - 1,)
        count, size = len(self.columns), len(self.rows)
        starts = [((layer * self.heads + at) * size + row) * count for at in heads]
        return tuple(
            sum(floats[start + column] for start in starts) / len(starts) for column in range(count)
        )


class Answer(msgspec.Struct, frozen=True, tag=True):
    """`unknown` are those words of the text that are not in the model's vocabulary."""

    said: tuple[Said, ...]
    attention: dict[Part, Attention]
    unknown: tuple[str, ...]
