"""The lab backends of a shared engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tutor.engine.backends import LabBackends
from tutor.errors import EngineError, TooMuchAsked
from tutor.labs.kit.registry import AnyLab
from tutor.lm.language_model import LanguageModel
from tutor.text import counted


class Trainings:
    """The running training jobs of all learners. At most `most` jobs can run at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.running: set[tuple[int, str]] = set()

    def begin(self, job: tuple[int, str]) -> None:
        """Register a training job. Raises `TooMuchAsked` if too many jobs are running."""
        if job not in self.running and len(self.running) >= self.most:
            raise TooMuchAsked(
                f"This machine can train at most {counted(self.most, 'network')} at a time.",
                "Try again in a few minutes.",
            )
        self.running.add(job)


class SharedBackends(LabBackends):
    """The lab backends of one learner in a shared engine.

    The engine process does not run under the learner's account, so it rejects every request that
    requires the learner's files, API keys or remote models.
    """

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
                f"A shared engine does not support this feature of the {lab.name!r} lab.",
                "Start tutor with TUTOR_ENGINE=own to use your own engine.",
            )
        if lab.trains:
            self._trainings.begin((id(self), name))

    def close(self, name: str) -> None:
        self._trainings.running.discard((id(self), name))
        super().close(name)
