"""Test what every entry point does before torch is imported: set how threads wait, for example."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tutor.lm.fast import waiting

SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")

LOOK = f"""
import os
settings = [os.environ.get(name) for name in {SETTINGS!r}]
lean = [type(each).__module__ for each in sys.meta_path].count("tutor.lm.fast.lean_import")
print(settings, lean, "torch" in sys.modules, file=sys.stderr)
"""

COMMAND_LINE = "from tutor.cli.main import main; main(['lessons', '--json'])"

# an engine that ends with an exception, because its normal end would end the process
ENGINE = """
import tutor.engine.__main__ as engine
def stop(*_): raise SystemExit
engine.PipeInbox = stop
try:
    engine.main([])
except SystemExit:
    pass
"""


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)


@pytest.mark.parametrize("entry", [COMMAND_LINE, ENGINE], ids=["command line", "engine"])
def test_every_entry_point_sets_it_before_torch(entry: str) -> None:
    program = f"import sys\n{entry}\n{LOOK}"
    result = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.DEVNULL,  # the engine's frames
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    wanted = [None, str(waiting.SPINS), str(waiting.BLOCK_TIME)]
    assert result.stderr.strip().endswith(f"{wanted} 1 False"), result.stderr


def test_the_users_own_settings_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    waiting.settle_waiting()
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    waiting.settle_waiting()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
