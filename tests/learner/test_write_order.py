"""Test the order in which data reaches the disk, which matters in a power cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.learner.learner_sessions import answered
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState


class Calls(list[str]):
    """The system calls about the files of one folder, in order."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        names: dict[int, str] = {}
        real_open, real_write, real_sync = os.open, os.write, os.fsync
        real_replace = Path.replace

        def opened(path: str | Path, flags: int, *rest: int) -> int:
            descriptor = real_open(path, flags, *rest)
            place = Path(path)
            names[descriptor] = "the folder" if place == folder else place.name
            return descriptor

        def wrote(descriptor: int, data: bytes) -> int:
            if descriptor in names:
                self.append(f"write {names[descriptor]}")
            return real_write(descriptor, data)

        def synced(descriptor: int) -> None:
            self.append(f"sync {names[descriptor]}")
            real_sync(descriptor)

        def replaced(source: Path, target: Path) -> Path:
            self.append(f"replace {target.name}")
            return real_replace(source, target)

        monkeypatch.setattr(os, "open", opened)
        monkeypatch.setattr(os, "write", wrote)
        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(Path, "replace", replaced)


LOG = [
    "write reviews.log",
    "sync reviews.log",
    "write reviews.log.copy",
    "sync reviews.log.copy",
]
STATE = [
    "write progress.json.tmp",
    "sync progress.json.tmp",
    "replace progress.json.bak",
    "replace progress.json",
    "sync the folder",
]
"""The new file must be on disk before it is renamed, and then the new name must be on disk."""


def test_the_state_is_on_disk_before_it_gets_its_name(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress.open(filled)
    calls = Calls(filled, monkeypatch)
    progress.save_lesson(LessonState(lesson="one-question", screen="end"))
    assert calls == STATE


def test_an_answer_is_in_both_logs_on_disk_before_the_state(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress.open(filled)
    calls = Calls(filled, monkeypatch)
    progress.record(answered(7))
    assert calls == [*LOG, *STATE]


def test_the_name_of_a_new_log_is_on_disk_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress.open(folder)
    calls = Calls(folder, monkeypatch)
    progress.record(answered(1))
    log = calls.index("write reviews.log")
    assert calls[log : log + 3] == ["write reviews.log", "sync reviews.log", "sync the folder"]
    assert calls[-1] == "sync the folder"
