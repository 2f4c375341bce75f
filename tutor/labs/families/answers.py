"""The request to run one family's model, and the response: its output and its attention."""

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
"""The kinds of attention in each family, with the default first.

"reading" is attention within the input, "writing" is attention within the output, and "across" is
cross-attention, from the output to the input.
"""


def may_look(part: Part, row: int, column: int) -> bool:
    """Return True if the mask lets position `row` attend to position `column`.

    Only attention within the output has a causal mask.
    """
    return part != "writing" or column <= row


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request to run one family's model on a text, which is split into words."""

    family: Family
    words: tuple[str, ...]


class Guess(msgspec.Struct, frozen=True, array_like=True):
    """A word and its probability."""

    word: str
    probability: float


class Said(msgspec.Struct, frozen=True):
    """A word that a model generated.

    Attributes:
        row: The word's row in the attention map.
        guesses: The most probable words, most probable first. The model generated the first one.
        left: If the encoder filled a blank with this word, the decoder's most probable words for
            that blank, given only the words before it. Otherwise, it is empty.
        left_probability: The probability that the decoder assigns to the generated word.
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
    """The attention weights of all heads for one kind of attention.

    `weights` contains 32-bit floats [layers, heads, rows, columns]. `rows` are the attending words,
    and `columns` are the words attended to.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    layers: int
    heads: int
    weights: bytes

    def row(self, layer: int, head: int, row: int) -> tuple[float, ...]:
        """Return the attention weights in one row, one for each column. They sum to 1.

        Layers and rows are counted from 0. Heads are counted from 1; head 0 is the mean of all
        heads.
        """
        floats = memoryview(self.weights).cast("f")
        heads = range(self.heads) if head == 0 else (head - 1,)
        count, size = len(self.columns), len(self.rows)
        starts = [((layer * self.heads + at) * size + row) * count for at in heads]
        return tuple(
            sum(floats[start + column] for start in starts) / len(starts) for column in range(count)
        )


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The model's output.

    `said` are the generated words, `attention` is the attention of each kind, and `unknown` are the
    input words that are not in the vocabulary.
    """

    said: tuple[Said, ...]
    attention: dict[Part, Attention]
    unknown: tuple[str, ...]
