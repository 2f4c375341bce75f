"""Defines the interface of a lab's backend, and the tools that the backend can use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tutor.labs.kit.registry import load_part
from tutor.vendors.runs import RemoteRuns

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel

MOMENT = 0.2
"""The number of seconds of long work after which a backend responds with its progress."""


@dataclass(frozen=True)
class Tools:
    """The tools that are passed to a backend.

    `load` returns the model, loading it first if necessary. `check_cancelled` raises
    `RequestCancelled` if the response is no longer wanted; long computations must call it
    regularly. `folder` is where a lab can save its files, such as a network in training; the folder
    may not exist yet. `remote` sends requests to remote models if the learner has consented (see
    `tutor.vendors`). `moment` is the number of seconds of long work after which the backend
    responds with its progress.
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
        """Return the response to a request of the lab.

        The request contains everything that the backend needs. A backend can store state between
        requests to save work, but must not depend on it, because it can be replaced with a new
        backend at any time. Each response must take only a fraction of a second, since other
        screens wait for it; the lab splits longer work into several requests. Raises `TutorError`
        if the request fails.
        """
        ...


def make_backend(lab: str, tools: Tools) -> Backend:
    """Return a new backend for the lab of this name. Raises `LabError` if there is no such lab."""
    backend: Backend = load_part(lab, "backend").make_backend(tools)
    return backend
