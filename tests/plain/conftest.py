"""A machine with a tiny model, whose tokens are bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import tiny_model, tutor_process
from tests.plain.session import Machine
from tests.shipped_course import with_cached_course

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["tiny_model", "tutor_process"]


@pytest.fixture(scope="session")
def engine_socket(
    tiny_model: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str | None]:
    """Run a shared engine with the tiny model, so that not every session has to import PyTorch.

    Such an engine keeps nothing from one session to the next.
    """
    if sys.platform == "win32":
        yield None
        return
    folder = tmp_path_factory.mktemp("run")
    path = folder / "engine.sock"
    command = [sys.executable, "-m", "tutor", "engine", f"--socket={path}", f"--model={tiny_model}"]
    environment = os.environ | {"TUTOR_DATA": str(folder / "service"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert str(path) in process.stdout.readline()
        yield str(path)
        process.terminate()


@pytest.fixture
def machine(
    tmp_path: Path, tiny_model: str, engine_socket: str | None, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    monkeypatch.delenv("TUTOR_MODEL", raising=False)
    monkeypatch.setenv("TUTOR_DATA", str(with_cached_course(tmp_path / "data")))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))
    return Machine(tiny_model, engine=engine_socket)


@pytest.fixture
def own_engine(machine: Machine) -> Machine:
    """Return a machine on which each session starts an engine, as on most learners' machines."""
    return machine._replace(engine=None)
