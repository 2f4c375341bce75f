"""What the workbench of prompts asks of a model, and what it is answered."""

from __future__ import annotations

import msgspec

from tutor.labs.kit.prompts.scores import Trial, Tried
from tutor.vendors.runs import ErrorReport


class Try(msgspec.Struct, frozen=True, tag=True):
    """What does this version get for this item? `sent`: a model elsewhere was asked already, and
    its answer is awaited."""

    trial: Trial
    item: int
    sent: bool = False


class Read(msgspec.Struct, frozen=True, tag=True):
    """What does the model read, exactly?"""

    trial: Trial
    item: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    """The answer of the model elsewhere is not wanted any more."""


Question = Try | Read | Stop


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a prompt: a mark of the chat template (`special`), or text."""

    text: str
    special: bool


class Reading(msgspec.Struct, frozen=True, tag=True):
    """A prompt in `tokens` tokens; how many they are elsewhere, nobody tells."""

    stretches: tuple[Stretch, ...]
    tokens: int | None


class Sent(msgspec.Struct, frozen=True, tag=True):
    """A model elsewhere is asked, and has not answered yet."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It did not answer as it should."""

    trouble: ErrorReport


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """It is not asked any more."""


Answer = Tried | Reading | Sent | Failed | Stopped
