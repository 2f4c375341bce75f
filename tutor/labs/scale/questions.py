"""The requests that the scale ladder sends to its backend, and the responses."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.scale.remote_reading import Glance, ReadRemotely

Model = Literal["yours", "small", "loaded", "other"]


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for the surprisal of this text and the next token, by one of the models.

    `name` is the name of an installed model, for "other".
    """

    model: Model
    text: str
    name: str = ""


class Others(msgspec.Struct, frozen=True, tag=True):
    """A request for the other installed models. A model that was loaded for reading is dropped."""


Question = Read | Others | ReadRemotely


class Guess(msgspec.Struct, frozen=True, array_like=True):
    data: bytes
    probability: float


class Reading(msgspec.Struct, frozen=True):
    """A model's reading of a text.

    `size` is the model's size in bytes, and `trained_on` the number of its training tokens, or None
    if unknown. `bits` is the surprisal of the text, which has `pieces` tokens and `byte_count`
    bytes. `best` are the most probable next tokens; their distribution has `entropy` bits.
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
        """The perplexity per token: the number of equally probable tokens with this surprisal."""
        return float(2.0 ** min(self.bits / self.pieces, 1000.0))


class Told(msgspec.Struct, frozen=True, tag=True):
    """A reading, or None if there is no such model (not trained yet, or not bundled)."""

    reading: Reading | None


class Installed(msgspec.Struct, frozen=True, tag=True):
    names: tuple[str, ...]


class Coming(msgspec.Struct, frozen=True, tag=True):
    """The progress of a reading, sent in place of it. The same question must be asked again.

    `doing` names the current work. `done` of its `total` parts are done (0 if unknown), and
    about `seconds` are left.
    """

    doing: str
    done: int
    total: int
    seconds: float | None


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The reason why a model cannot be used."""

    why: str


Answer = Told | Installed | Coming | Refused | Glance
