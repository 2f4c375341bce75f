"""The interface of a lab's backend, which answers the lab's questions, and its tools."""

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
"""Seconds of long work after which a backend answers with its progress."""


@dataclass(frozen=True)
class Tools:
    """The tools that a backend is given.

    `load` returns the model, and loads it first if necessary. `check_cancelled` raises
    `RequestCancelled` if the answer is no longer wanted; call it now and then in work that takes
    long. `folder` is where a lab may save what it makes (a network in training); it may not exist
    yet. `remote` asks remote models, if the learner has consented: see `tutor.vendors`. `moment`
    is the number of seconds after which long work answers with its progress.
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
        """Answer a question of the lab.

        The question contains everything the answer needs. What a backend keeps between two
        questions only saves work, because the backend may be replaced by a new one at any time.
        An answer must take only a fraction of a second, since other screens wait for it; the lab
        splits longer work into several questions. Raises `TutorError`.
        """
        ...


def make_backend(lab: str, tools: Tools) -> Backend:
    """Return a new backend for the lab of this name. Raises `LabError` if there is no such lab."""
    backend: Backend = load_part(lab, "backend").make_backend(tools)
    return backend
