"""Looking at somebody else's folder: nothing in it changes, and nothing in it can do harm."""

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

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")


def as_it_is(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(each.relative_to(folder)): (
            each.stat().st_mtime_ns,
            each.stat().st_mode,
            each.read_bytes() if each.is_file() else b"",
        )
        for each in (folder, *folder.rglob("*"))
    }


def test_a_copy_reads_as_the_folder_does_and_leaves_it_as_it_is(filled: Path) -> None:
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
    """(For root, who may do everything, it is the other test that counts.)"""
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


def test_a_learner_may_hold_the_lock_meanwhile(filled: Path) -> None:
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
def test_a_pipe_is_not_waited_for(filled: Path) -> None:
    (filled / "reviews.log").unlink()
    os.mkfifo(filled / "reviews.log")
    with pytest.raises(StoreError, match="not an ordinary file"), snapshot(filled):
        pass


def test_what_is_too_large_is_left_alone(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(file.stat().st_size for file in filled.iterdir())
    monkeypatch.setattr(module, "LARGEST", size)
    with snapshot(filled):
        pass
    monkeypatch.setattr(module, "LARGEST", size - 1)
    with pytest.raises(StoreError, match="larger"), snapshot(filled):
        pass
    with pytest.raises(StoreError, match="larger"):
        read_untrusted(filled / "reviews.log", 10)


def test_a_folder_full_of_files_is_no_learners(filled: Path) -> None:
    for number in range(module.MOST_FILES + 1):
        (filled / f"{number}").touch()
    with pytest.raises(StoreError, match="more than 50 files"), snapshot(filled):
        pass


def test_what_a_learners_folder_is(filled: Path, tmp_path: Path) -> None:
    assert has_progress(filled)
    assert not has_progress(tmp_path)
    assert not has_progress(tmp_path / "nowhere")
    (filled / "progress.json").unlink()
    assert has_progress(filled)
