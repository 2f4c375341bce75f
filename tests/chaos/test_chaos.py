"""Run sixty cycles, five with each event. `make chaos` runs many more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs signals, ptys and fork", allow_module_level=True)

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost_or_doubled_in_sixty_cycles() -> None:
    """The cycles run in a separate process. It forks, and the test's process may have threads."""
    command = [sys.executable, "-m", "tests.chaos", "--cycles", "60", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("| all |")]
    cycles, answers, lost, doubled, wrong, started = map(
        int, lines[0].replace(",", "").split("|")[2:-1]
    )
    assert (cycles, lost, doubled, wrong, started) == (60, 0, 0, 0, 3)
    assert answers > 500  # there was something to lose
