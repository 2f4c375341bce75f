"""Test the steps of a run: they are reported, and a run can be stopped and continued."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor

from tests.labs.training_stage import SMALL, Listener
from tutor.errors import UsageError
from tutor.lm.network import Transformer
from tutor.lm.training import train as training
from tutor.lm.training.run import run_steps
from tutor.lm.training.train import Settings

TOKENS = torch.randint(0, 300, (4000,), generator=torch.Generator().manual_seed(1))


def run(checkpoint: Path, listener: Listener, settings: Settings = SMALL) -> Tensor:
    """Return all weights after a run."""
    network = Transformer(settings.config(300))
    training.initialize(network, settings.seed)

    def loss_at(step: int) -> Tensor:
        return training.loss_of(network, *training.batch_of(TOKENS, step, settings))

    run_steps(network, loss_at, settings, checkpoint, lambda: listener.note("measured"), listener)
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def test_a_run_reports_its_progress(tmp_path: Path) -> None:
    listener = Listener()
    run(tmp_path / "checkpoint", listener)
    assert [report.step for report in listener.reports] == [10, 20, 30, 40, 50, 60]
    assert {report.steps for report in listener.reports} == {60}
    assert listener.reports[-1].seconds_left == 0
    halfway = listener.reports[2]
    assert halfway.seconds_left == pytest.approx(30 * halfway.seconds)
    assert listener.notes == ["measured", "measured"]


@pytest.mark.parametrize("after", [1, 3])  # between two checkpoints, and past one
def test_a_stopped_run_ends_with_the_same_weights(tmp_path: Path, after: int) -> None:
    whole = run(tmp_path / "whole", Listener())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", Listener(stop_after=after))
    again = Listener()
    assert torch.equal(run(tmp_path / "cut", again), whole)
    assert again.reports[0].step == 10 * after + 10
    assert again.notes[0] == f"continuing after step {10 * after} of 60"


def test_a_killed_run_continues_from_its_checkpoint(tmp_path: Path) -> None:
    class Killer(Listener):
        def report(self, report: object) -> None:
            super().report(report)  # type: ignore[arg-type]
            if len(self.reports) == 3:
                raise SystemExit

    whole = run(tmp_path / "whole", Listener())
    with pytest.raises(SystemExit):
        run(tmp_path / "cut", Killer())
    again = Listener()
    assert torch.equal(run(tmp_path / "cut", again), whole)
    assert again.reports[0].step == 30  # 20 steps were saved


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "checkpoint", Listener())
    other = msgspec.structs.replace(SMALL, learning_rate=1e-3)
    with pytest.raises(UsageError, match="different settings"):
        run(tmp_path / "checkpoint", Listener(), other)
