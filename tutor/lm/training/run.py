"""The steps of a training run, from the first or from where an earlier run was interrupted, to the
last: the same for every model of this project."""

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


class Moment(msgspec.Struct, frozen=True):
    """How a run stands after `step` of `steps`. `loss` is the mean of the steps since the last
    moment, in nats per token; `seconds` is what a step took since this process began to train."""

    step: int
    steps: int
    loss: float
    rate: float
    seconds: float

    @property
    def seconds_left(self) -> float:
        return (self.steps - self.step) * self.seconds


class Watcher(Protocol):
    """Whom a run tells how it goes, and who may end it."""

    def moment(self, moment: Moment) -> None:
        """Called every `report_every` steps."""

    def note(self, line: str) -> None:
        """Something worth keeping: what was begun, what was measured."""

    def stopped(self) -> bool:
        """Whether to stop now: the run keeps where it stands and raises `KeyboardInterrupt`."""
        ...


def run_steps(
    network: nn.Module,
    loss_at: Callable[[int], Tensor],
    settings: Settings,
    checkpoint: Path,
    evaluate: Callable[[], object],
    watcher: Watcher,
) -> None:
    """All steps, from the checkpoint on if there is one. `loss_at` is the loss of the batch of a
    step. Weights and the optimizer's means are kept in `checkpoint` every `evaluate_every` steps,
    and when it is stopped, so that the run ends as it would have without a break."""
    optimizer = make_optimizer(network, settings)
    identity = msgspec.json.encode(settings).decode()
    first = load_checkpoint(checkpoint, network, optimizer, identity)
    if first:
        watcher.note(f"going on after step {first:,} of {settings.steps:,}")
    started = time.monotonic()
    losses: list[float] = []
    for step in range(first, settings.steps):
        rate = learning_rate(step, settings)
        losses.append(descend(network, optimizer, loss_at(step), rate, settings.largest_gradient))
        done = step + 1
        if done % settings.report_every == 0 or done == settings.steps:
            each = (time.monotonic() - started) / (done - first)
            mean = sum(losses) / len(losses)
            watcher.moment(Moment(done, settings.steps, mean, rate, each))
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
    return output.with_name(output.name + ".checkpoint.safetensors")


def write_record(folder: Path, record: msgspec.Struct) -> None:
    """What a run did and reached, for whoever wants to know later."""
    text = msgspec.json.format(msgspec.json.encode(record))
    (folder / "training.json").write_bytes(text + b"\n")
