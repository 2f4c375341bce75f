"""Test that a released version of a lesson or question keeps its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.course.lesson_text import SMALL, line_of, lint
from tutor.authoring.lint import look_over
from tutor.authoring.release import Release, read_release, write_release


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a lesson that is released."""
    file = tmp_path / "07-small.md"
    file.write_text(SMALL)
    report = look_over([tmp_path])
    write_release(tmp_path, Release().after(sound.lesson for sound in report.lessons))
    assert lint([tmp_path]) == []
    return file


CHANGED = [
    ("ask: Which?", "ask: Which not?", "question 'pick'", "```question"),
    ("text: yes", "text: perhaps", "question 'pick'", "```question"),
    ("type: single", "type: several", "question 'pick'", "```question"),
    ("probability: 0.9", "probability: 0.8", "The lesson", "---"),
    ("{#first}", "{#other}", "The lesson", "---"),
]


@pytest.mark.parametrize(("old", "new", "words", "at"), CHANGED)
def test_a_new_meaning_needs_a_new_version(
    file: Path, old: str, new: str, words: str, at: str
) -> None:
    text = SMALL.replace(old, new)
    file.write_text(text)
    (finding,) = lint([file])
    assert finding.level == "error"
    assert f"{words} has changed since" in finding.message
    assert finding.line == line_of(text, at)
    raised = text.replace("version: 2", "version: 3").replace("id: pick", "id: pick\nversion: 2")
    file.write_text(raised)
    assert lint([file]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hint: Not the other.", "hint: Not this one either."),
        ("why: Not this one.", "why: No."),
        ("Some *text*.", "Some other *text*."),
        ("ask: Which?", "ask:   Which?"),
    ],
)
def test_the_wording_may_be_improved(file: Path, old: str, new: str) -> None:
    file.write_text(SMALL.replace(old, new))
    assert lint([file]) == []


def test_versions_only_increase(file: Path) -> None:
    file.write_text(SMALL.replace("version: 2", "version: 1"))
    (finding,) = lint([file])
    assert "version 2 is already released" in finding.message


def test_a_release_keeps_removed_lessons(file: Path) -> None:
    assert read_release(file.parent).after([]) == read_release(file.parent)


def test_an_invalid_release_file(file: Path) -> None:
    (file.parent / "released.json").write_text("{")
    (finding,) = lint([file.parent])
    assert finding.file.endswith("released.json")
