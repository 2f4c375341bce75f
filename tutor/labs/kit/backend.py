"""What answers the questions of one lab, and what it is given to do so."""

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
"""Seconds after which an answer to long work is due, with as much as is done by then."""


@dataclass(frozen=True)
class Tools:
    """`load` gives the model, which may have to be loaded first. `check_cancelled` raises
    `RequestCancelled` when nobody waits for the answer any more: to be called now and then in
    whatever takes more than a moment. `folder` is where a lab may keep what it has made (a network
    in training); it need not exist yet. `remote` asks models elsewhere, where the learner has
    agreed to that: see `tutor.vendors`. `moment` is for how many seconds long work goes on before
    it answers with as much as is done."""

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
        """The answer to a question of the lab. Raises `TutorError`.

        The question says all that is needed: what a backend keeps between two questions only saves
        work, and it may be made anew at any time. One answer takes a fraction of a second, as
        other screens wait meanwhile; longer work is cut up by the lab.
        """
        ...


def make_backend(lab: str, tools: Tools) -> Backend:
    """Return what answers the questions of the lab of this name. Raises `LabError`."""
    backend: Backend = load_part(lab, "backend").make_backend(tools)
    return backend
