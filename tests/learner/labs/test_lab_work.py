"""Test the files with a learner's work in labs."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from tutor.errors import StoreError
from tutor.learner.background import BackgroundProgress
from tutor.learner.labs.work import LARGEST, LabWork
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def at_once(write: Callable[[], None], _: object) -> Future[None]:
    done: Future[None] = Future()
    write()
    done.set_result(None)
    return done


def test_work_is_saved_in_the_background(tmp_path: Path) -> None:
    progress = BackgroundProgress(Progress(tmp_path))
    assert progress.lab_work.read("tokens") == b""
    progress.lab_work.save("tokens", b"1")
    progress.lab_work.save("tokens", b"2").result(timeout=10)
    assert progress.lab_work.read("tokens") == b"2"
    assert progress.lab_work.read("mask") == b""
    (file,) = (tmp_path / "labs").glob("*.json")
    assert file.stat().st_mode & 0o077 == 0


def test_work_that_was_reset_leaves_no_file(tmp_path: Path) -> None:
    work = LabWork(tmp_path, at_once)
    work.save("tokens", b"1")
    work.save("tokens", b"")
    work.save("tokens", b"")
    assert work.read("tokens") == b""
    assert not list(tmp_path.glob("*.json"))


def test_the_last_session_wins(tmp_path: Path) -> None:
    one, other = LabWork(tmp_path, at_once), LabWork(tmp_path, at_once)
    one.save("tokens", b"one")
    other.save("tokens", b"other")
    assert one.read("tokens") == b"other"


def test_a_hostile_file_is_not_read(tmp_path: Path) -> None:
    work = LabWork(tmp_path, at_once)
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link.json").symlink_to(tmp_path / "secret")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "huge.json").write_bytes(b"x" * (LARGEST + 1))
    assert [work.read(name) for name in ("link", "folder", "huge")] == [b"", b"", b""]


def test_work_that_is_too_large_is_refused_at_once(tmp_path: Path) -> None:
    work = LabWork(tmp_path, at_once)
    work.save("tokens", b"1")
    with pytest.raises(StoreError, match="too large"):
        work.save("tokens", b"x" * (LARGEST + 1))
    assert work.read("tokens") == b"1"
