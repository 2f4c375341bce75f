"""The requests that the scale ladder sends to its backend, and the responses."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.scale.remote_reading import Glance, ReadRemotely

Model = Literal["yours", "small", "loaded", "other"]


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for a model's surprisal on this text, and for its most probable next tokens.

    If the model is "other", `name` is the name of an installed model.
    """

    model: Model
    text: str
    name: str = ""


class Others(msgspec.Struct, frozen=True, tag=True):
    """A request for the other installed models. The added model, if any, is dropped."""


Question = Read | Others | ReadRemotely


class Guess(msgspec.Struct, frozen=True, array_like=True):
    data: bytes
    probability: float


class Reading(msgspec.Struct, frozen=True):
    """A model's results for a text.

    `size` is the size of the weights in bytes, and `trained_on` is the number of training tokens,
    or None if it is unknown. `bits` is the surprisal of the text, which has `pieces` tokens and
    `byte_count` bytes. `best` are the most probable next tokens, and `entropy` is the entropy of
    the next token's distribution, in bits.
    """

    name: str
    parameters: int
    size: int
    trained_on: int | None
    pieces: int
    byte_count: int
    bits: float
    entropy: float
    best: tuple[Guess, ...]

    @property
    def bits_a_byte(self) -> float:
        return self.bits / self.byte_count

    @property
    def perplexity(self) -> float:
        """The perplexity: 2 to the power of the mean bits per token."""
        return float(2.0 ** min(self.bits / self.pieces, 1000.0))


class Told(msgspec.Struct, frozen=True, tag=True):
    """A model's results, or None if there is no such model (not trained yet, or not bundled)."""

    reading: Reading | None


class Installed(msgspec.Struct, frozen=True, tag=True):
    names: tuple[str, ...]


class Coming(msgspec.Struct, frozen=True, tag=True):
    """The progress of a request that isn't complete. The same request must be sent again.

    `doing` names the current work, of which `done` of `total` parts are done (`total` is 0 if
    unknown). `seconds` is the estimated time left.
    """

    doing: str
    done: int
    total: int
    seconds: float | None


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The reason why a model cannot be used."""

    why: str


Answer = Told | Installed | Coming | Refused | Glance
