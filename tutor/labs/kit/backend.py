"""The interface of a lab's backend, and the tools that a backend receives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tutor.labs.kit.registry import load_part
from tutor.vendors.runs import RemoteRuns

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel

MOMENT = 0.2
"""The computing time after which a backend sends an intermediate response, in seconds."""


@dataclass(frozen=True)
class Tools:
    """The tools that every backend receives when it is created.

    Attributes:
        load: Returns the model. The first call can take a long time, because it loads the model.
        check_cancelled: Raises `RequestCancelled` if the request has been canceled.
            Long-running computations must call this function regularly.
        folder: Where the lab can save files, such as checkpoints. The folder may not exist yet.
        remote: Sends requests to remote models, if the learner has consented (see `tutor.vendors`).
        moment: The computing time after which the backend sends an intermediate response, in
            seconds.
    """

    load: Callable[[], LanguageModel]
    check_cancelled: Callable[[], None]
    folder: Path
    remote: RemoteRuns = field(default_factory=RemoteRuns)
    moment: float = MOMENT

    @cached_property
    def model(self) -> LanguageModel:
        return self.load()


class Backend(Protocol):
    def answer(self, question: Any) -> Any:
        """Compute the response to one request of the lab.

        The request contains all the input. A backend can cache data between requests, but the
        response must not depend on the cache, because a new backend can take over at any time.

        Other screens wait while a response is computed, so each response must take only a fraction
        of a second. The lab splits longer work into several requests.

        Raises `TutorError` if the request fails.
        """
        ...


@runtime_checkable
class Closing(Protocol):
    """A backend that must stop work in other threads when its lab is closed."""

    def close(self) -> None: ...


def make_backend(lab: str, tools: Tools) -> Backend:
    """Return a new backend for the lab named `lab`. Raises `LabError` if no lab has this name."""
    backend: Backend = load_part(lab, "backend").make_backend(tools)
    return backend
