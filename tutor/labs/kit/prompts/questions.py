"""The requests of the labs about prompts, and the responses."""

from __future__ import annotations

import msgspec

from tutor.labs.kit.prompts.scores import Trial, Tried
from tutor.vendors.runs import ErrorReport


class Try(msgspec.Struct, frozen=True, tag=True):
    """A request for the model's answer to one item.

    If `sent`, the item was already sent to a remote model, and its answer is awaited.
    """

    trial: Trial
    item: int
    sent: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for the exact prompt that the model processes for one item."""

    trial: Trial
    item: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    """A request to cancel the remote model's answer."""


Question = Try | Read | Stop


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a prompt: a special token of the chat template (`special`), or text."""

    text: str
    special: bool


class Reading(msgspec.Struct, frozen=True, tag=True):
    """A prompt and its number of tokens, which is None (unknown) for a remote model."""

    stretches: tuple[Stretch, ...]
    tokens: int | None


class Sent(msgspec.Struct, frozen=True, tag=True):
    """Reports that the item was sent to the remote model, which has not answered yet."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Reports that the remote model did not answer, or that its answer was invalid."""

    trouble: ErrorReport


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """Confirms that the request to the remote model was canceled."""


Answer = Tried | Reading | Sent | Failed | Stopped
