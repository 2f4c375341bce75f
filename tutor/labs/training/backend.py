"""Train a small GPT in short time slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError

from tutor.errors import LabError
from tutor.labs.kit.backend import Tools
from tutor.labs.kit.lesson_prose import lesson_prose
from tutor.labs.training.lab import MEASURED_EVERY, MOST_STEPS, Answer, Question
from tutor.lm.fast.kernels import one_thread
from tutor.lm.training.checkpoint import about
from tutor.lm.training.live import FILE, Choices, LiveTraining

KEPT_EVERY = 2.0
"""The interval between automatic checkpoints, in seconds. A crash loses at most this much
training."""
SAVED = "training-saved.safetensors"


class TrainingBackend:
    """The lab's backend. It trains a network on `prose`, and stores two checkpoints.

    A time slice ends early at each multiple of `measured_every` steps, so that the network can be
    measured. The automatic checkpoint is written about every `kept_every` seconds, and the manual
    checkpoint when the learner saves the network.
    """

    def __init__(
        self,
        tools: Tools,
        prose: Callable[[], Sequence[str]] = lesson_prose,
        measured_every: int = MEASURED_EVERY,
        kept_every: float = KEPT_EVERY,
    ) -> None:
        self._check_cancelled = tools.check_cancelled
        self._moment = tools.moment
        self._prose = prose
        self._measured_every = measured_every
        self._kept_every = kept_every
        self._running = tools.folder / FILE
        self._saved = tools.folder / SAVED
        self._training: LiveTraining | None = None
        self._kept = time.monotonic()

    def answer(self, question: Question) -> Answer:
        """Execute the command in `question.order`.

        Raises `LabError` if a file cannot be read or written.
        """
        with one_thread():
            return self._answer(question)

    def _answer(self, question: Question) -> Answer:
        if question.order == "drop":
            self._drop()
        training = self._at_hand(question)
        before, speed = training.done, 0.0
        match question.order:
            case "train":
                speed = self._train(training, question)
            case "measure":
                training.measure(mask=question.mask)
            case "keep":
                self._keep(training)
            case "save":
                _save(training, self._saved)
            case "back":
                training = self._training = self._loaded(self._saved)
                self._keep(training)
        replaced = question.order in ("look", "back", "drop")
        began = 0 if replaced else min(question.done, before)
        history = training.history
        return Answer(
            began=began,
            done=training.done,
            points=tuple(point for point in history.points if point.step > began),
            measured=tuple(each for each in history.measured if each.step >= began),
            saved=_step_of(self._saved),
            steps_a_second=speed,
        )

    def _at_hand(self, question: Question) -> LiveTraining:
        """Return the training run in memory, or load it from the automatic checkpoint."""
        if self._training is None or self._training.done < question.done:
            self._training = self._loaded(self._running)
        return self._training

    def _train(self, training: LiveTraining, question: Question) -> float:
        """Train until the time slice ends or the next measurement is due.

        Returns the speed in steps per second.
        """
        started, before = time.perf_counter(), training.done
        end = min((before // self._measured_every + 1) * self._measured_every, MOST_STEPS)

        def on() -> bool:
            self._check_cancelled()
            return training.done < end and time.perf_counter() < started + self._moment

        if before < MOST_STEPS:
            training.train(Choices(question.rate, question.mask, question.shuffled), on)
        seconds = time.perf_counter() - started
        if time.monotonic() > self._kept + self._kept_every:
            self._keep(training)
        return (training.done - before) / seconds

    def _keep(self, training: LiveTraining) -> None:
        self._kept = time.monotonic()
        if training.done:
            with suppress(OSError):  # If the disk is full, training continues without checkpoints.
                training.save(self._running)

    def _loaded(self, path: Path) -> LiveTraining:
        training = LiveTraining(self._prose())
        training.load(path)
        return training

    def _drop(self) -> None:
        self._training = None
        for path in (self._running, self._saved):
            path.unlink(missing_ok=True)


def _save(training: LiveTraining, path: Path) -> None:
    try:
        training.save(path)
    except (OSError, SafetensorError) as error:
        raise LabError(
            f"Can't save the network: {error}.", "Check that the disk has free space."
        ) from error


def _step_of(path: Path) -> int | None:
    """Return the step at which the network was saved.

    Returns None if the file is missing or unreadable.
    """
    try:
        return int(about(path)["step"])
    except (OSError, SafetensorError, KeyError, TypeError):
        return None


make_backend = TrainingBackend
