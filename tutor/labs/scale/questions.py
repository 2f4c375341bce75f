"""What the ladder of scale asks of the models, and what it is answered."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.scale.remote_reading import Glance, ReadElsewhere

Model = Literal["yours", "small", "loaded", "other"]


class Read(msgspec.Struct, frozen=True, tag=True):
    """What does this text cost that model, and what does it expect after it? `name` is that of
    an installed model, for "other"."""

    model: Model
    text: str
    name: str = ""


class Others(msgspec.Struct, frozen=True, tag=True):
    """Which other models are installed? One that was loaded to read is not needed any more."""


Question = Read | Others | ReadElsewhere


class Guess(msgspec.Struct, frozen=True, array_like=True):
    data: bytes
    probability: float


class Reading(msgspec.Struct, frozen=True):
    """`size` is in bytes, `trained_on` the tokens that were read in training, None where that is
    not known. `bits` is what the text cost, in `pieces` tokens of `byte_count` bytes; `best` is
    what may come next, of `entropy` bits."""

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
        """Per token: as if it had to choose fairly among so many."""
        return float(2.0 ** min(self.bits / self.pieces, 1000.0))


class Told(msgspec.Struct, frozen=True, tag=True):
    """None where there is no such model: nothing was trained yet, or nothing came along."""

    reading: Reading | None


class Installed(msgspec.Struct, frozen=True, tag=True):
    names: tuple[str, ...]


class Coming(msgspec.Struct, frozen=True, tag=True):
    """Not read yet: what is done with the model just now, `done` of `total` of it where that is
    known, and for about how many `seconds` more. To be asked again."""

    doing: str
    done: int
    total: int
    seconds: float | None


class Refused(msgspec.Struct, frozen=True, tag=True):
    """This model cannot read here."""

    why: str


Answer = Told | Installed | Coming | Refused | Glance
