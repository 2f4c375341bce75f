"""The requests of the "Steering" lab, and the responses to them."""

from __future__ import annotations

import msgspec

from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.reply import Reply
from tutor.labs.steer.pairs import Lists, Words
from tutor.lm.saved_steering import SavedVector

STEP = 0.25
"""The change in strength per step of the dial."""


class GridPoint(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A layer and a setting of the strength dial.

    `layer` is the block after which the vector is added, counted from 0. The strength is `dial` *
    `STEP`.
    """

    layer: int
    dial: int

    @property
    def strength(self) -> float:
        return self.dial * STEP


BASE = GridPoint(0, 0)
"""The point for results without steering."""


def at(layer: int, dial: int) -> GridPoint:
    """Return the point for a layer and a dial setting. For setting 0, it is always `BASE`."""
    return GridPoint(layer, dial) if dial else BASE


class Next(msgspec.Struct, frozen=True, tag=True):
    """A request for the next-token probabilities without and with steering."""

    lists: Lists
    text: str
    words: Words
    spot: GridPoint


class Measure(msgspec.Struct, frozen=True, tag=True):
    """A request for the effect of the vector on the next token after `text`."""

    lists: Lists
    text: str
    words: Words
    spot: GridPoint


class Cost(msgspec.Struct, frozen=True, tag=True):
    """A request for the perplexity of the neutral text."""

    lists: Lists
    spot: GridPoint


class Write(msgspec.Struct, frozen=True, tag=True):
    """A request to extend a continuation of `text` for one time slice.

    If `seed` is None, the most probable token is always taken.
    """

    lists: Lists
    text: str
    spot: GridPoint
    seed: int | None
    reply: Reply


class Make(msgspec.Struct, frozen=True, tag=True):
    """A request for the steering vector of a layer."""

    lists: Lists
    layer: int
    name: str


class Save(msgspec.Struct, frozen=True, tag=True):
    """A request to save a vector in the learner's data folder."""

    vector: SavedVector


class Delete(msgspec.Struct, frozen=True, tag=True):
    """A request to delete a saved vector."""

    name: str


class Restore(msgspec.Struct, frozen=True, tag=True):
    """A request to restore the vector that was last deleted, if it is one of `names`."""

    names: tuple[str, ...]


class ListSaved(msgspec.Struct, frozen=True, tag=True):
    """A request for the list of saved vectors."""


AboutFiles = Save | Delete | Restore | ListSaved
"""The requests about files in the learner's data folder."""

Question = Next | Measure | Cost | Write | Make | AboutFiles


class Effect(msgspec.Struct, frozen=True, array_like=True):
    """The effect of a vector on the next token.

    Attributes:
        first: The total probability of the first set of words.
        second: The total probability of the second set of words.
        bits: The Kullback-Leibler divergence D(without ‖ with) of the next-token distributions.
    """

    first: float
    second: float
    bits: float


class Compared(msgspec.Struct, frozen=True, tag=True):
    """The next-token probabilities without steering (before), and with steering (after).

    Attributes:
        layers: The number of layers in the network.
        left_out: The number of tokens that were cut from the text.
        rows: The most probable next tokens, sorted by their probability without steering.
        before: The words' probabilities without steering.
        after: The words' probabilities with steering.
        known: The number of words in each set that are single tokens. Other words don't count.
        length: The Euclidean norm of the vector.
        stream: The mean Euclidean norm of the residual-stream vectors that the steering vector was
            made from.
    """

    layers: int
    left_out: int
    rows: tuple[NextRow, ...]
    before: Effect
    after: Effect
    known: tuple[int, int]
    length: float
    stream: float


class Measured(msgspec.Struct, frozen=True, tag=True):
    """The response to `Measure`: the effect of the vector."""

    effect: Effect


class Perplexity(msgspec.Struct, frozen=True, tag="Price"):
    """The response to `Cost`: the perplexity of the neutral text."""

    perplexity: float


class Written(msgspec.Struct, frozen=True, tag=True):
    """The response to `Write`: the continuation so far."""

    reply: Reply


class Made(msgspec.Struct, frozen=True, tag=True):
    """The response to `Make`: the steering vector, ready to be saved."""

    vector: SavedVector


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A saved vector in the list, without its numbers."""

    name: str
    model_name: str
    layer: int
    first: str
    second: str


class Entries(msgspec.Struct, frozen=True, tag=True):
    """The saved vectors, sorted by name.

    `failed` is the reason why a vector could not be saved, deleted or restored, or "".
    """

    entries: tuple[Entry, ...]
    failed: str = ""


Answer = Compared | Measured | Perplexity | Written | Made | Entries | Progress
