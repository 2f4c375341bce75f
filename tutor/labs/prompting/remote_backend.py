"""Return a remote model's answer to one item, for one version of a prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tutor.errors import AnswerCut, AnswerEmpty
from tutor.labs.kit.prompts.questions import Failed, Sent, Stopped, Try
from tutor.labs.kit.prompts.scores import Share, Tried
from tutor.labs.kit.prompts.tasks import tasks
from tutor.labs.kit.prompts.version import Prompt, assemble
from tutor.labs.prompting.remote import most_tokens
from tutor.lm.distribution import SamplerSettings
from tutor.vendors.alternatives import ALTERNATIVES
from tutor.vendors.catalogue import OWN, RemoteModel
from tutor.vendors.runs import Progress, RemoteRuns
from tutor.vendors.service import Alternative, RemoteRequest

_RUN = "item"


class RemotePrompting:
    """A client that sends one request at a time to remote models, and caches the last response."""

    def __init__(self, runs: RemoteRuns) -> None:
        self._runs = runs
        self._begun: Try | None = None

    def answer(self, question: Try, rows: int) -> Tried | Sent | Failed:
        """Return the answer, `Sent` until it is complete, or `Failed` if there was an error.

        The answer includes at most `rows` candidates for the first token. If this method is called
        again with the same question, it doesn't send another request. Raises `NotAllowed` if the
        learner has not consented.
        """
        server = question.trial.server
        assert server is not None
        wanted = Try(question.trial, question.item)
        if wanted != self._begun and not question.sent:
            self._runs.start(_RUN, server, _request(wanted, server))
            self._begun = wanted
        progress = self._runs.look_patiently(_RUN)
        if progress.trouble is not None:
            self._begun = None
            kind = type(progress.trouble.error)
            if not issubclass(kind, AnswerEmpty) or issubclass(kind, AnswerCut):
                return Failed(progress.trouble)
        elif progress.finish is None:
            return Sent()
        return _tried(progress, question, rows)

    def stop(self) -> Stopped:
        self._runs.cancel(_RUN)
        self._begun = None
        return Stopped()


def _request(question: Try, server: RemoteModel) -> RemoteRequest:
    """Return the request for one item.

    It asks for probabilities only if the temperature is 0. At other temperatures, servers differ in
    which probabilities they return.
    """
    version, task = question.trial.version, tasks()[question.trial.task]
    prompt = assemble(version, task, task.items[question.item])
    return RemoteRequest(
        prompt.messages or prompt.text + prompt.begin,
        SamplerSettings(temperature=version.temperature),
        most_tokens=most_tokens(server, task),
        top=0 if version.temperature else ALTERNATIVES,
        seed=question.item if version.temperature and server.service.id == OWN else None,
    )


def _tried(progress: Progress, question: Try, rows: int) -> Tried:
    task = tasks()[question.trial.task]
    shown = next((piece.alternatives for piece in progress.pieces if piece.data), ())
    written = "".join(piece.text for piece in progress.pieces)
    line_ended = question.trial.version.frame == "text" and "\n" in written.lstrip()
    cut = progress.finish is not None and progress.finish.reason != "stop"
    return Tried(
        written=written,
        ended=line_ended or not cut,
        tokens=progress.finish.usage.prompt_tokens if progress.finish else None,
        rows=tuple(Share(each.data, each.probability) for each in shown[:rows]),
        labels=label_shares(task.labels, shown) if shown else (),
        seconds=progress.seconds,
        hidden=max(0.0, 1.0 - math.fsum(each.probability for each in shown)) if shown else None,
    )


def label_shares(labels: Sequence[str], shown: Sequence[Alternative]) -> tuple[float, ...]:
    """Return the probability of each label, summed over its possible first tokens.

    Case and a leading space are ignored. A token that can begin several labels doesn't count.
    """
    shares = dict.fromkeys(labels, 0.0)
    for each in shown:
        token = each.data.decode("utf-8", "replace").removeprefix(" ")
        begun = [
            label
            for label in labels
            if token and any(name.startswith(token) for name in (label, label.capitalize()))
        ]
        if len(begun) == 1:
            shares[begun[0]] += each.probability
    return tuple(shares.values())


def messages_of(prompt: Prompt) -> list[tuple[str, bool]]:
    """Return the prompt as it is sent, in parts.

    Each part has a flag, which is True for the name of a role and False for other text.
    """
    if not prompt.messages:
        return [(prompt.text + prompt.begin, False)]
    found: list[tuple[str, bool]] = []
    for message in prompt.messages:
        found += [(f"{message.role}\n", True), (f"{message.content}\n", False)]
    return found
