"""The requests that the "scale ladder" lab sends to its backend, and the responses."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.kit.progress import Coming
from tutor.labs.scale.remote_reading import Glance, ReadRemotely

Model = Literal["yours", "small", "loaded", "other"]


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for a model's surprisal on a text, and for its most probable next tokens.

    `name` is the name of an installed model. It is set only if `model` is "other".
    """

    model: Model
    text: str
    name: str = ""


class Others(msgspec.Struct, frozen=True, tag=True):
    """A request for the installed models that can be added.

    It also unloads the added model, if any.
    """


Question = Read | Others | ReadRemotely


class Guess(msgspec.Struct, frozen=True, array_like=True):
    data: bytes
    probability: float


class Reading(msgspec.Struct, frozen=True):
    """A model's results for a text.

    Attributes:
        parameters: The number of the model's parameters.
        size: The size of the weights, in bytes.
        trained_on: The number of training tokens, or None if it is unknown.
        pieces: The number of tokens in the text.
        byte_count: The length of the text, in bytes.
        bits: The surprisal of the text, in bits.
        entropy: The entropy of the distribution of the next token, in bits.
        best: The most probable next tokens.
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
        """The perplexity: 2 to the power of the mean surprisal per token in bits."""
        return float(2.0 ** min(self.bits / self.pieces, 1000.0))


class Told(msgspec.Struct, frozen=True, tag=True):
    """The response to `Read`: a model's results.

    `reading` is None if the model doesn't exist: no network has been trained yet, or the small
    model is not bundled.
    """

    reading: Reading | None


class Installed(msgspec.Struct, frozen=True, tag=True):
    names: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The response if a model cannot be used, with the reason."""

    why: str


Answer = Told | Installed | Coming | Refused | Glance
