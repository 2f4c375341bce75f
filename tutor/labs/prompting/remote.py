"""Plans the requests of a run on a remote model: what can be sent, how often, and at what price.

Each item is a request of its own. So a remote model is only asked in a run, and the screen shows
the number of requests first.
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
"""Tokens that a service of the catalogue may use besides the answer: its models think in tokens
that are not shown, but must be paid for."""

_A_TOKEN = 4
"""The approximate number of characters in an English token."""

_A_MESSAGE = 4
"""The approximate number of tokens that mark the beginning and end of a message."""


class Plan(msgspec.Struct, frozen=True):
    """The requests that are left in a run, and their price in US dollars.

    `about` is an estimate and `most` a limit, at the prices of the month `as_of`. Both are None if
    the price is unknown.
    """

    requests: int
    about: float | None = None
    most: float | None = None
    as_of: str = ""


def plan(trials: Iterable[Trial], results: Results) -> Plan:
    """Return the plan for the items of these trials without a result, all by the same model."""
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
    """Return the indexes of the items without a result."""
    items = len(tasks()[trial.task].items)
    found = results.get(trial) or (None,) * items
    return [item for item in range(items) if found[item] is None]


def most_tokens(server: RemoteModel, task: Task) -> int:
    """Return the most tokens that an answer may have."""
    return task.most_tokens + (0 if server.service.id == OWN else _ROOM_TO_THINK)


def require_sendable(trial: Trial) -> None:
    """Raise `LabError` if this version cannot be sent to its remote model."""
    server, version = trial.server, trial.version
    if server is None:
        return
    if version.frame == "text":
        if server.service.id != OWN:
            raise LabError(
                f"{server.service.product} cannot continue plain text.",
                "Change the frame to a chat.",
            )
    elif version.begin:
        raise LabError(
            "A server begins its answers by itself.",
            "Switch “answer prefix” off, or change the frame to plain text.",
        )


def sendable(trials: Iterable[Trial]) -> bool:
    """Return True if all of these versions can be sent to their remote model."""
    try:
        for trial in trials:
            require_sendable(trial)
    except LabError:
        return False
    return True


def _tokens(prompt: Prompt) -> int:
    """Return the approximate number of tokens in a prompt."""
    texts = [prompt.text, prompt.begin, *(message.content for message in prompt.messages)]
    return sum(map(len, texts)) // _A_TOKEN + _A_MESSAGE * (1 + len(prompt.messages))
