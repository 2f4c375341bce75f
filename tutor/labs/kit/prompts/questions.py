"""The requests of the labs on prompting, and the responses to them."""

from __future__ import annotations

import msgspec

from tutor.labs.kit.prompts.scores import Trial, Tried
from tutor.vendors.runs import ErrorReport


class Try(msgspec.Struct, frozen=True, tag=True):
    """A request for the model's answer to one item.

    `sent` is True if the item has already been sent to a remote model and the lab is waiting for
    the answer.
    """

    trial: Trial
    item: int
    sent: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for the exact prompt of one item, without generating an answer."""

    trial: Trial
    item: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    """A request to cancel the pending request to a remote model."""


Question = Try | Read | Stop


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """Part of a prompt: a special token of the chat template (`special` is True), or text."""

    text: str
    special: bool


class Reading(msgspec.Struct, frozen=True, tag=True):
    """The exact prompt for one item, and its token count. The count is None for a remote model."""

    stretches: tuple[Stretch, ...]
    tokens: int | None


class Sent(msgspec.Struct, frozen=True, tag=True):
    """The response if a remote model has received the item but has not answered yet."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The response if a remote model did not answer, or if its answer was invalid."""

    trouble: ErrorReport


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """The response after the request to the remote model has been canceled."""


Answer = Tried | Reading | Sent | Failed | Stopped
