"""Test reading another account's folder: nothing changes, and nothing in it can do harm."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tutor.errors import StoreError
from tutor.learner import snapshot as module
from tutor.learner.progress import Progress
from tutor.learner.snapshot import has_progress, snapshot
from tutor.learner.untrusted_files import read_untrusted

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX links and pipes")


def as_it_is(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(each.relative_to(folder)): (
            each.stat().st_mtime_ns,
            each.stat().st_mode,
            each.read_bytes() if each.is_file() else b"",
        )
        for each in (folder, *folder.rglob("*"))
    }


def test_a_snapshot_equals_the_folder_and_leaves_it_unchanged(filled: Path) -> None:
    (filled / "texts").mkdir()
    here = Progress.open(filled)
    before = as_it_is(filled)
    with snapshot(filled) as copy:
        there = Progress.open(copy)
        assert there.state() == here.state()
        assert there.events() == here.events()
        assert there.notices == []
    assert not copy.exists()
    assert as_it_is(filled) == before


@posix
def test_it_needs_no_permission_to_write(filled: Path) -> None:
    """As root, who has all permissions, only the other test is meaningful."""
    for file in filled.iterdir():
        file.chmod(0o400)
    filled.chmod(0o500)
    before = as_it_is(filled)
    try:
        with snapshot(filled) as copy:
            assert len(Progress.open(copy).cards()) == 3
    finally:
        filled.chmod(0o700)
    assert as_it_is(filled).keys() == before.keys()


def test_a_snapshot_does_not_need_the_lock(filled: Path) -> None:
    from filelock import FileLock

    with FileLock(filled / "lock"), snapshot(filled) as copy:
        assert len(Progress.open(copy).cards()) == 3


@posix
@pytest.mark.parametrize("name", ["reviews.log", "progress.json", "anything"])
def test_no_link_is_followed(filled: Path, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for the class")
    (filled / name).unlink(missing_ok=True)
    (filled / name).symlink_to(secret)
    with pytest.raises(StoreError, match="link"), snapshot(filled):
        pass


@posix
def test_a_pipe_does_not_block(filled: Path) -> None:
    (filled / "reviews.log").unlink()
    os.mkfifo(filled / "reviews.log")
    with pytest.raises(StoreError, match="not a regular file"), snapshot(filled):
        pass


def test_files_that_are_too_large_are_refused(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(file.stat().st_size for file in filled.iterdir())
    monkeypatch.setattr(module, "LARGEST", size)
    with snapshot(filled):
        pass
    monkeypatch.setattr(module, "LARGEST", size - 1)
    with pytest.raises(StoreError, match="larger"), snapshot(filled):
        pass
    with pytest.raises(StoreError, match="larger"):
        read_untrusted(filled / "reviews.log", 10)


def test_a_folder_with_many_files_is_refused(filled: Path) -> None:
    for number in range(module.MOST_FILES + 1):
        (filled / f"{number}").touch()
    with pytest.raises(StoreError, match="more than 50 files"), snapshot(filled):
        pass


def test_recognizing_a_learners_folder(filled: Path, tmp_path: Path) -> None:
    assert has_progress(filled)
    assert not has_progress(tmp_path)
    assert not has_progress(tmp_path / "nowhere")
    (filled / "progress.json").unlink()
    assert has_progress(filled)
