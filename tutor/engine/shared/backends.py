"""Backends of labs in an engine that serves many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tutor.engine.backends import LabBackends
from tutor.errors import EngineError, TooMuchAsked
from tutor.labs.kit.registry import AnyLab
from tutor.lm.language_model import LanguageModel


class Trainings:
    """The networks that are being trained here, of all learners: so many at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.running: set[tuple[int, str]] = set()

    def begin(self, job: tuple[int, str]) -> None:
        """Raises `TooMuchAsked`."""
        if job not in self.running and len(self.running) >= self.most:
            raise TooMuchAsked(
                f"{self.most} others train a network on this machine just now: no more fit.",
                "Try again in a few minutes.",
            )
        self.running.add(job)


class SharedBackends(LabBackends):
    """Of one learner. Whatever concerns files, keys or other models is not done here: this process
    has the rights of another account."""

    def __init__(
        self,
        model: LanguageModel,
        check_cancelled: Callable[[], None],
        folder: Path,
        trainings: Trainings,
    ) -> None:
        super().__init__(lambda: model, check_cancelled, folder=lambda: folder)
        self._trainings = trainings

    def admit(self, name: str, lab: AnyLab, question: Any) -> None:
        if lab.private(question):
            raise EngineError(
                f"An engine that serves many does not do this for the lab {lab.name!r}.",
                "An engine of your own does.",
            )
        if lab.trains:
            self._trainings.begin((id(self), name))

    def close(self, name: str) -> None:
        self._trainings.running.discard((id(self), name))
        super().close(name)
