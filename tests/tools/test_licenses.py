"""Test that all dependencies have an allowed license, and are listed with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.licenses import Dependency, dependencies, main

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def test_every_license_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "| torch | - |" in captured.out


def test_all_dependencies_are_installed_here_and_so_checked() -> None:
    extras = {"", "test", "remote", "gemini"}
    absent = [each.name for each in dependencies() if each.extra in extras and not each.installed]
    assert absent == []


def test_the_page_lists_them_all() -> None:
    """The list has the licenses as they were spelled then; packages change the spelling."""
    listed = re.findall(r"^\| ([\w.-]+) \| ([a-z]+|-) \| (.+) \|$", PAGE.read_text("utf-8"), re.M)
    rows = [Dependency(name, extra.strip("-"), said) for name, extra, said in listed]
    wanted = [(each.name, each.extra) for each in dependencies()]
    assert [(each.name, each.extra) for each in rows[1:]] == wanted
    assert [each.name for each in rows[1:] if not each.allowed] == []


@pytest.mark.parametrize("license", ["GPL-3.0-only", "Proprietary", "", "MIT AND AGPL-3.0"])
def test_another_license_is_noticed(license: str) -> None:
    assert not Dependency("new", "", license).allowed
    assert not Dependency("pyte", "test", "GPL-3.0-only").allowed
