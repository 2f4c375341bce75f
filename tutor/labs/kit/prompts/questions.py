"""The questions that the labs about prompts ask a model, and the answers."""

from __future__ import annotations

import msgspec

from tutor.labs.kit.prompts.scores import Trial, Tried
from tutor.vendors.runs import ErrorReport


class Try(msgspec.Struct, frozen=True, tag=True):
    """A request for the model's answer to one item.

    If `sent`, a remote model was already asked, and its answer is awaited.
    """

    trial: Trial
    item: int
    sent: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for the exact prompt that the model processes for one item."""

    trial: Trial
    item: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    """A request to drop the answer of the remote model."""


Question = Try | Read | Stop


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a prompt: a mark of the chat template (`special`), or text."""

    text: str
    special: bool


class Reading(msgspec.Struct, frozen=True, tag=True):
    """A prompt and its number of tokens, which is unknown (None) for a remote model."""

    stretches: tuple[Stretch, ...]
    tokens: int | None


class Sent(msgspec.Struct, frozen=True, tag=True):
    """The remote model was asked, and has not answered yet."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The remote model did not answer, or its answer was invalid."""

    trouble: ErrorReport


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """The request to the remote model was dropped."""


Answer = Tried | Reading | Sent | Failed | Stopped
