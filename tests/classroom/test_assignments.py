"""Test the class file: it is written completely or not at all, and read as untrusted."""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.classroom import assignments
from tutor.classroom.assignments import Assignment, read, write
from tutor.classroom.errors import ClassFileError
from tutor.learner import disk

MONDAY = datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC)
LATER = Assignment("embeddings", MONDAY + timedelta(days=1))
LATEST = Assignment("attention", MONDAY + timedelta(days=2))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shared" / "class.json"


def content(**changes: object) -> str:
    entry = {"lesson": "tokens", "due": "2026-11-27T23:59:59+01:00"}
    return json.dumps({"tutor": "class", "format": 1, "lessons": [entry], **changes})


def test_assignments_are_read_earliest_first(file: Path) -> None:
    later = Assignment("embeddings", MONDAY + timedelta(days=7))
    write(file, [later, Assignment("tokens", MONDAY)])
    assert read(file) == (Assignment("tokens", MONDAY), later)
    write(file, [])
    assert read(file) == ()


def test_the_file_is_optional(file: Path) -> None:
    assert read(file) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_everyone_can_read_it_whatever_the_umask(file: Path) -> None:
    before = os.umask(0o077)
    try:
        write(file, [Assignment("tokens", MONDAY)])
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o644
    assert file.parent.stat().st_mode & 0o777 == 0o755


def test_a_failure_changes_nothing_and_leaves_no_other_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(file, [Assignment("tokens", MONDAY)])
    assert [each.name for each in file.parent.iterdir()] == ["class.json"]
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ClassFileError, match="No space"):
        write(file, [])
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == ["class.json"]


def test_a_missing_permission_comes_with_a_remedy(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk, "write_temporary", forbidden)
    with pytest.raises(ClassFileError) as raised:
        write(file, [Assignment("tokens", MONDAY)])
    assert str(file.parent) in raised.value.happened
    assert "sudo" in raised.value.next_step or sys.platform == "win32"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        content(tutor="progress"),
        content(format=0),
        content(format="1"),
        content(more="than there is"),
        content(lessons=[{"lesson": "tokens"}]),
        content(lessons=[{"lesson": "tokens", "due": "2026-11-27"}]),
        content(lessons=[{"lesson": "tokens", "due": "2026-11-27T10:00:00"}]),
        content(lessons=[{"lesson": "tokens", "due": "0001-01-01T00:00:00Z"}]),
        content(lessons=[{"lesson": "tokens", "due": "9999-12-31T23:59:59Z"}]),
        content(lessons=[{"lesson": "\x1b[2J", "due": "2026-11-27T10:00:00Z"}]),
        content(lessons=[{"lesson": "x" * 61, "due": "2026-11-27T10:00:00Z"}]),
        content(lessons=[{"lesson": "x", "due": "2026-11-27T10:00:00Z"}] * 501),
        content() + " " * assignments.LARGEST,
    ],
)
def test_invalid_contents_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "class.json").write_text(text)
    with pytest.raises(ClassFileError) as raised:
        read(tmp_path / "class.json")
    assert raised.value.happened.isprintable()
    assert len(raised.value.happened) < 500


@given(st.binary(max_size=200))
def test_arbitrary_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(data)
    with pytest.raises(ClassFileError):
        read(file)


def test_a_newer_format_is_reported(tmp_path: Path) -> None:
    (tmp_path / "class.json").write_text(content(format=2, other=True))
    with pytest.raises(ClassFileError, match="newer"):
        read(tmp_path / "class.json")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX links and pipes")
def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "link", "folder"):
        with pytest.raises(ClassFileError):
            read(tmp_path / name)


def test_a_lesson_that_occurs_twice_is_due_once(tmp_path: Path) -> None:
    days = ("2026-11-27", "2026-11-20")
    twice = [{"lesson": "tokens", "due": f"{day}T10:00:00Z"} for day in days]
    (tmp_path / "class.json").write_text(content(lessons=twice))
    [only] = read(tmp_path / "class.json")
    assert only.due.day == 20


def test_two_teachers_who_assign_at_the_same_moment_are_both_heard(file: Path) -> None:
    assignments.write(file, [Assignment("tokens", MONDAY)])
    other = threading.Thread(target=assignments.change, args=(file, lambda now: (*now, LATER)))

    def change(now: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
        other.start()
        other.join(0.3)
        assert other.is_alive()  # it waits
        return (*now, LATEST)

    assignments.change(file, change)
    other.join(10)
    assert [each.lesson for each in assignments.read(file)] == ["tokens", "embeddings", "attention"]


def test_an_endless_change_of_another_teacher_is_reported(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignments, "_PATIENCE", 0.05)
    refused: list[str] = []

    def change(now: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
        with pytest.raises(ClassFileError, match="Another program has been changing"):
            assignments.change(file, lambda now: now)
        refused.append("yes")
        return now

    assignments.change(file, change)
    assert refused
