"""Test that the pinned versions are complete, and are ones that pyproject.toml allows."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import constraints
from tools.constraints import contents, installed, main, pinned, requirements


def test_everything_that_tutor_needs_is_pinned() -> None:
    """If this fails after a change to the dependencies, run `make constraints`."""
    missing = set(installed(requirements())) - set(pinned())
    assert missing == set()


def test_the_pinned_versions_are_allowed() -> None:
    pins = pinned()
    wrong = [
        str(required)
        for required in requirements()
        if pins[canonicalize_name(required.name)] not in required.specifier
    ]
    assert wrong == []


def test_the_versions_are_the_same_for_every_build_of_pytorch() -> None:
    assert pinned()["torch"].local is None
    assert "+" not in contents()


def test_what_a_dependency_requires_is_pinned_too() -> None:
    assert {"rich", "pygments", "mdurl"} <= set(installed([Requirement("textual")]))


def test_the_packages_of_the_web_server_are_pinned() -> None:
    assert {"textual-serve", "aiohttp"} <= set(pinned())


def test_a_stale_file_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constraints, "FILE", tmp_path / "constraints.txt")
    monkeypatch.setattr(constraints, "contents", lambda: "torch==1\n")
    assert main([]) == 0
    assert main(["--check"]) == 0
    constraints.FILE.write_text("torch==0\n")
    assert main(["--check"]) == 1
    assert "make constraints" in capsys.readouterr().err
