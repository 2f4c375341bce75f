"""Test the command: what it prints, and its errors."""

from __future__ import annotations

import builtins
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.cli.command_line import Tutor

if sys.platform == "win32":
    pytest.skip("tutor serve does not work on Windows", allow_module_level=True)


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[list[str], subprocess.Popen[str]]]:
    """Run the server, and yield the three lines that it prints."""
    command = [sys.executable, "-m", "tutor", "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield [server.stdout.readline() for _ in range(3)], server
        finally:
            server.kill()


def address(line: str) -> str:
    return line.split()[-1]


def test_it_prints_addresses_that_work_and_stops_when_asked() -> None:
    with serving() as ((own, others, how), server):
        assert own.startswith("Your own progress:  http://127.0.0.1:")
        for line in (own, others):
            with urlopen(address(line)) as page:
                assert page.status == 200
        assert "Ctrl+C" in how
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        assert server.stderr is not None
        assert server.stderr.read() == ""


def test_the_addresses_stay_the_same() -> None:
    with serving() as ((first, *_), _):
        pass
    with serving() as ((second, *_), _):
        pass
    assert first.split("/learn/")[1] == second.split("/learn/")[1]


def test_it_warns_that_other_machines_can_connect() -> None:
    with serving("--host", "0.0.0.0") as ((own, *_), server):
        assert socket.gethostname() in own
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert server.stderr is not None
        said = server.stderr.read()
        assert "nothing is encrypted" in said
        assert "docs/serve.md" in said


def test_behind_a_proxy_it_prints_the_address_of_the_proxy() -> None:
    with serving("--url", "https://school.example/tutor/") as ((own, others, _), server):
        assert address(own).startswith("https://school.example/tutor/learn/")
        assert address(others) == "https://school.example/tutor/"
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert server.stderr is not None
        assert server.stderr.read() == ""


def test_a_port_that_is_taken(tutor: Tutor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        outcome = tutor("serve", "--port", str(port))
    assert outcome.status == 1
    assert f"Port {port} is already in use." in outcome.err
    assert "--port" in outcome.err


def test_an_address_of_another_machine(tutor: Tutor) -> None:
    outcome = tutor("serve", "--host", "192.0.2.1", "--port", "0")
    assert outcome.status == 1
    assert "no address '192.0.2.1'" in outcome.err


def test_the_extra_is_missing(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name == "textual_serve":
            raise ImportError(name)
        return importing(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    outcome = tutor("serve")
    assert outcome.status == 1
    assert "The package textual-serve is not installed." in outcome.err
    assert "install 'llm-tutor[serve]'" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "hf:owner/repo"], "does not download models"),
        (["--port", "65536"], "is not a number from 0 to 65,535"),
        (["--sessions", "0"], "is not a number from 1 to 1,000"),
        (["--url", "school.example"], "is not a URL"),
    ],
)
def test_wrong_usage(tutor: Tutor, arguments: list[str], said: str) -> None:
    outcome = tutor("serve", *arguments)
    assert outcome.status == 2
    assert said in outcome.err


def test_the_key_cannot_be_stored(tutor: Tutor, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.environ["TUTOR_DATA"] = str(tmp_path / "file" / "data")
    outcome = tutor("serve", "--port", "0")
    assert outcome.status == 1
    assert "browser.key could not be" in outcome.err
