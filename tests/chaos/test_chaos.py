"""Run two cycles with each event. `make chaos` runs a thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.__main__ import APP_EVERY

if sys.platform == "win32":
    pytest.skip("needs signals, ptys and fork", allow_module_level=True)

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.parametrize("count", [24, 60])
def test_nothing_acknowledged_is_lost_or_doubled(count: int) -> None:
    """The cycles run in a separate process. It forks, and the test's process may have threads."""
    command = [sys.executable, "-m", "tests.chaos", "--cycles", str(count), "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("| all |")]
    cycles, answers, lost, doubled, wrong, started = map(
        int, lines[0].replace(",", "").split("|")[2:-1]
    )
    assert (cycles, lost, doubled, wrong, started) == (count, 0, 0, 0, count // APP_EVERY)
    assert answers > 8 * count  # there was something to lose
