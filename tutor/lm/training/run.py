"""Run all steps of a training run, starting at the first step or at a checkpoint.

All models of this project are trained with `run_steps`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from tutor.lm.training.checkpoint import load_checkpoint, save_checkpoint
from tutor.lm.training.train import Settings, descend, learning_rate, make_optimizer

if TYPE_CHECKING:
    from torch import Tensor, nn


class StepReport(msgspec.Struct, frozen=True):
    """The progress of a training run after `step` of `steps` steps.

    `loss` is the mean over the steps since the previous report, in nats per token. `seconds` is the
    mean time of a step since this process started training.
    """

    step: int
    steps: int
    loss: float
    rate: float
    seconds: float

    @property
    def seconds_left(self) -> float:
        """Return the estimated time until the last step."""
        return (self.steps - self.step) * self.seconds


class Watcher(Protocol):
    """An object that receives the progress reports of a training run and can stop the run."""

    def report(self, report: StepReport) -> None:
        """Receive a progress report. This is called every `report_every` steps."""

    def note(self, line: str) -> None:
        """Receive a line for the log, such as a measurement."""

    def stopped(self) -> bool:
        """Return True to stop the run.

        The run then saves a checkpoint and raises `KeyboardInterrupt`.
        """
        ...


def run_steps(
    network: nn.Module,
    loss_at: Callable[[int], Tensor],
    settings: Settings,
    checkpoint: Path,
    evaluate: Callable[[], object],
    watcher: Watcher,
) -> None:
    """Run all training steps, starting from the checkpoint if there is one.

    `loss_at` returns the loss on a step's batch. The weights and the optimizer's state are saved in
    `checkpoint` every `evaluate_every` steps and when the run is stopped. A run that was stopped
    and continued therefore has the same result as an uninterrupted run.
    """
    optimizer = make_optimizer(network, settings)
    identity = msgspec.json.encode(settings).decode()
    first = load_checkpoint(checkpoint, network, optimizer, identity)
    if first:
        watcher.note(f"continuing after step {first:,} of {settings.steps:,}")
    started = time.monotonic()
    losses: list[float] = []
    for step in range(first, settings.steps):
        rate = learning_rate(step, settings)
        losses.append(descend(network, optimizer, loss_at(step), rate, settings.largest_gradient))
        done = step + 1
        if done % settings.report_every == 0 or done == settings.steps:
            each = (time.monotonic() - started) / (done - first)
            mean = sum(losses) / len(losses)
            watcher.report(StepReport(done, settings.steps, mean, rate, each))
            losses.clear()
        stopped = watcher.stopped()
        due = done % settings.evaluate_every == 0 and done < settings.steps
        if due or stopped:
            save_checkpoint(checkpoint, network, optimizer, done, identity)
        if stopped:
            raise KeyboardInterrupt
        if due:
            evaluate()


def checkpoint_beside(output: Path) -> Path:
    """Return the path of the checkpoint for the model in `output`."""
    return output.with_name(output.name + ".checkpoint.safetensors")


def write_record(folder: Path, record: msgspec.Struct) -> None:
    """Write a run's settings and results to `training.json`."""
    text = msgspec.json.format(msgspec.json.encode(record))
    (folder / "training.json").write_bytes(text + b"\n")
