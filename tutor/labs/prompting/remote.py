"""Plan a run with a remote model: check prompts, count requests, and estimate the price.

Each item needs its own request. So requests are sent only during a run, and the screen shows their
number before the run starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tutor.errors import LabError
from tutor.labs.kit.prompts.scores import Results, Trial
from tutor.labs.kit.prompts.tasks import Task, tasks
from tutor.labs.kit.prompts.version import Prompt, assemble
from tutor.language import _
from tutor.vendors.catalogue import OWN, RemoteModel

_ROOM_TO_THINK = 512
"""The number of hidden tokens allowed in addition to an answer, for models in the catalog.

Models generate hidden tokens while they reason. These tokens are billed, too.
"""

_A_TOKEN = 4
"""The approximate number of characters in a token of English text."""

_A_MESSAGE = 4
"""The approximate number of special tokens around a message."""


class Plan(msgspec.Struct, frozen=True):
    """The number of requests that a run still needs, and their cost in US dollars.

    `about` is the estimated cost, and `most` the maximum cost, at the prices of the month `as_of`.
    Both are None if the model's price is unknown.
    """

    requests: int
    about: float | None = None
    most: float | None = None
    as_of: str = ""


def plan(trials: Iterable[Trial], results: Results) -> Plan:
    """Plan the requests for all items without an answer. All trials must use the same model."""
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
    """Return the indexes of the items that this trial has no answer for."""
    items = len(tasks()[trial.task].items)
    found = results.get(trial) or (None,) * items
    return [item for item in range(items) if found[item] is None]


def most_tokens(server: RemoteModel, task: Task) -> int:
    """Return the maximum number of tokens in an answer, which is sent with the request."""
    return task.most_tokens + (0 if server.service.id == OWN else _ROOM_TO_THINK)


def require_sendable(trial: Trial) -> None:
    """Raise `LabError` if the trial's remote model can't process this version of the prompt."""
    server, version = trial.server, trial.version
    if server is None:
        return
    if version.frame == "text":
        if server.service.id != OWN:
            raise LabError(
                _("{product} supports only chat, not text completion.").format(
                    product=server.service.product
                ),
                "Change the frame to a chat.",
            )
    elif version.begin:
        raise LabError(
            "An answer prefix can't be sent to a remote chat model.",
            "Switch off “answer prefix”, or change the frame to plain text.",
        )


def sendable(trials: Iterable[Trial]) -> bool:
    """Return True if the remote model can process the versions of all trials."""
    try:
        for trial in trials:
            require_sendable(trial)
    except LabError:
        return False
    return True


def _tokens(prompt: Prompt) -> int:
    """Estimate the number of tokens in a prompt from the number of characters."""
    texts = [prompt.text, prompt.begin, *(message.content for message in prompt.messages)]
    return sum(map(len, texts)) // _A_TOKEN + _A_MESSAGE * (1 + len(prompt.messages))
