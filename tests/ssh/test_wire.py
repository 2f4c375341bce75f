"""Test the limits on bytes per action, at the learner's end of a real SSH connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import ssh_session
from tests.ssh_server import SshServer
from tests.ssh_session import Cost

BUDGETS = {"key": 2000, "page": 12_000, "step": 4000, "running": 8000}
"""Bytes, both at the terminal and inside TCP."""


@pytest.mark.waits
def test_each_action_stays_within_its_budget(
    server: SshServer, data: Path, model_file: Path
) -> None:
    costs = ssh_session.measure(server, data, model=str(model_file))
    spent = {name: getattr(costs, name) for name in BUDGETS}
    over = {name: cost for name, cost in spent.items() if cost.tcp > BUDGETS[name]}
    assert not over, spent
    assert all(0 < cost.shown < cost.tcp for cost in spent.values()), spent
    assert costs.idle == Cost(0, 0)
    assert 0 < costs.paintings <= 9.5, "8 per second, and those that the key causes"
