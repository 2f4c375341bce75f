"""Versions of a prompt scored by a model elsewhere: what can be sent there, how often, and what it
costs about.

Each item is a request of its own. So nothing is asked there before the learner says so, and how
many requests there will be stands on the screen before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tutor.errors import LabError
from tutor.labs.kit.prompts.scores import Results, Trial
from tutor.labs.kit.prompts.tasks import Task, tasks
from tutor.labs.kit.prompts.version import Prompt, assemble
from tutor.vendors.catalogue import OWN, RemoteModel

_ROOM_TO_THINK = 512
"""Tokens that a service of the catalogue may use beside the answer: its models think in tokens
that are not shown, and paid for."""

_A_TOKEN = 4
"""Characters of English, about."""

_A_MESSAGE = 4
"""Tokens that mark where a message begins and ends, about."""


class Plan(msgspec.Struct, frozen=True):
    """What scoring the rest takes: so many requests, and US dollars, `about` and at `most`, by the
    price of a month; None where no price is known."""

    requests: int
    about: float | None = None
    most: float | None = None
    as_of: str = ""


def plan(trials: Iterable[Trial], results: Results) -> Plan:
    """For the items of these trials that are not asked yet; all by the same model."""
    both = tuple(dict.fromkeys(trials))
    left = [(trial, item) for trial in both for item in missing(trial, results)]
    server = both[0].server
    price = server.price if server is not None else None
    if server is None or price is None:
        return Plan(len(left))
    asked = [(trial.version, tasks()[trial.task], item) for trial, item in left]
    sent = sum(_tokens(assemble(version, task, task.items[item])) for version, task, item in asked)
    written = [task.most_tokens for _, task, _ in asked]
    most = [most_tokens(server, task) for _, task, _ in asked]
    return Plan(len(left), price.cost(sent, sum(written)), price.cost(sent, sum(most)), price.as_of)


def missing(trial: Trial, results: Mapping[Trial, tuple[object | None, ...]]) -> list[int]:
    """The items that were not asked yet."""
    items = len(tasks()[trial.task].items)
    found = results.get(trial) or (None,) * items
    return [item for item in range(items) if found[item] is None]


def most_tokens(server: RemoteModel, task: Task) -> int:
    """Tokens that an answer may have."""
    return task.most_tokens + (0 if server.service.id == OWN else _ROOM_TO_THINK)


def require_sendable(trial: Trial) -> None:
    """Raises `LabError` for a version that a model elsewhere cannot be asked with."""
    server, version = trial.server, trial.version
    if server is None:
        return
    if version.frame == "text":
        if server.service.id != OWN:
            raise LabError(
                f"{server.service.product} answers conversations, and continues no plain text.",
                "Switch the frame to a chat.",
            )
    elif version.begin:
        raise LabError(
            "A server begins its answers by itself.",
            "Leave “answer begins” off, or switch the frame to plain text.",
        )


def sendable(trials: Iterable[Trial]) -> bool:
    """Whether a model elsewhere can be asked with all of these."""
    try:
        for trial in trials:
            require_sendable(trial)
    except LabError:
        return False
    return True


def _tokens(prompt: Prompt) -> int:
    """How many it has, about."""
    texts = [prompt.text, prompt.begin, *(message.content for message in prompt.messages)]
    return sum(map(len, texts)) // _A_TOKEN + _A_MESSAGE * (1 + len(prompt.messages))
