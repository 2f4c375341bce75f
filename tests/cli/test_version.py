"""Test `tutor --version`, which looks for a newer version only with `--check`."""

from __future__ import annotations

import pytest
from packaging.version import Version

from tests.cli.command_line import Tutor
from tutor import __version__
from tutor.errors import NotOnIndex, PackageIndexError
from tutor.models import package_index


class FakeIndex:
    """Answers with a version or an error, and counts the questions."""

    def __init__(self) -> None:
        self.answer: Version | Exception | None = None
        self.asked: list[str] = []

    def newest_version(self, package: str) -> Version | None:
        self.asked.append(package)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> FakeIndex:
    fake = FakeIndex()
    monkeypatch.setattr(package_index, "newest_version", fake.newest_version)
    return fake


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "doctor"]])
def test_the_version_alone_asks_nobody(
    tutor: Tutor, index: FakeIndex, arguments: list[str]
) -> None:
    assert tutor(*arguments).out == f"tutor {__version__}\n"
    assert index.asked == []


def test_a_newer_version_and_how_to_get_it(tutor: Tutor, index: FakeIndex) -> None:
    index.answer = Version("99.1")
    outcome = tutor("--version", "--check")
    assert outcome.status == 0
    assert outcome.out.splitlines()[0] == f"tutor {__version__}"
    assert "Version 99.1 is available. To upgrade, run: " in outcome.out
    assert "llm-tutor" in outcome.out
    assert index.asked == ["llm-tutor"]


@pytest.mark.parametrize("newest", [None, Version(__version__), Version("0.0.1")])
def test_no_newer_version(tutor: Tutor, index: FakeIndex, newest: Version | None) -> None:
    index.answer = newest
    assert tutor("--version", "--check").out.endswith("This is the newest version.\n")


def test_an_index_without_tutor(tutor: Tutor, index: FakeIndex) -> None:
    index.answer = NotOnIndex("pypi.org has no package named llm-tutor.")
    outcome = tutor("--version", "--check")
    assert outcome.status == 0
    assert "reinstall tutor from its original source" in outcome.out


def test_an_index_that_does_not_answer(tutor: Tutor, index: FakeIndex) -> None:
    index.answer = PackageIndexError("pypi.org could not be reached: timed out.")
    outcome = tutor("--version", "--check")
    assert outcome.status == 1
    assert outcome.out == f"tutor {__version__}\n"
    assert "pypi.org could not be reached" in outcome.err
    assert "Check the network" in outcome.err


def test_check_alone_is_wrong_usage(tutor: Tutor, index: FakeIndex) -> None:
    outcome = tutor("--check")
    assert outcome.status == 2
    assert "tutor --version --check" in outcome.err
    assert index.asked == []
