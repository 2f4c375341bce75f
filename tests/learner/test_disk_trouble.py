"""Test with disks that are really full or read-only.

The tests use a small or read-only tmpfs in a mount namespace, a file size limit, and a folder of
another account.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.learner.learner_sessions import run_session
from tutor.learner.progress import Progress

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def namespaces_work() -> bool:
    """Return True if this machine lets a single process mount a file system."""
    if shutil.which("unshare") is None:
        return False
    with tempfile.TemporaryDirectory() as place:
        command = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", place]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


mounts = pytest.mark.skipif(not namespaces_work(), reason="needs unprivileged mount namespaces")
posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions and limits")

BEGIN = """
import os, subprocess, sys
from pathlib import Path
from tutor.errors import StoreError
from tutor.learner.errors import StoreFull, StoreReadOnly
from tutor.learner.lock import locked
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonState

place = Path(sys.argv[1])
folder = place / "me"

def answer(progress, name):
    progress.record(Answered(at=1.0, question=name, version=1, lesson="l", correct=True))

def contents():
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "lock"}
"""

FULL = (
    "No space to save progress: There is no space left for {file}, so the latest change could not "
    "be saved. Everything saved earlier is safe. Free some space, then try again."
)

FILL_A_SMALL_DISK = (
    BEGIN
    + """
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
progress = Progress.open(folder)
answer(progress, "before")
progress.save_lesson(LessonState(lesson="l", screen="s"))
filler = place / "filler"
with filler.open("wb", buffering=0) as file:
    try:
        while True:
            file.write(b"x" * 4096)
    except OSError:
        pass
# The last page of the log has room for a few answers more: fill it too.
acknowledged = ["before"]
for number in range(1000):
    name = f"q{number}"
    try:
        answer(progress, name)
    except StoreFull as error:
        print(error)
        break
    acknowledged.append(name)
else:
    sys.exit("the disk never became full")
print([str(notice) for notice in progress.notices])
before = contents()
for save in (
    lambda: answer(progress, "refused"),
    lambda: progress.save_lesson(LessonState(lesson="l", screen="t")),
    lambda: progress.save_setting("seed", 7),
):
    try:
        save()
    except StoreFull as error:
        print(error)
assert contents() == before
assert set(progress.cards()) == set(Progress.open(folder).cards()) == set(acknowledged)
assert Progress.open(folder).lesson("l").screen == "s"

filler.unlink()
answer(progress, "after")
progress.save_lesson(LessonState(lesson="l", screen="u"))
again = Progress.open(folder)
assert set(again.cards()) == {*acknowledged, "after"}
assert again.lesson("l").screen == "u"
assert again.notices == []
"""
)


@mounts
def test_a_full_disk_gives_a_message_and_works_again_with_space(tmp_path: Path) -> None:
    printed = run_session(FILL_A_SMALL_DISK, tmp_path, inside=NAMESPACE).splitlines()
    log, state = (tmp_path / "me" / name for name in ("reviews.log", "progress.json"))
    assert printed[0] == FULL.format(file=log)
    assert "Your answer is in the review log, but progress.json was not updated" in printed[1]
    assert printed[2:] == [
        FULL.format(file=log),
        FULL.format(file=state),
        FULL.format(file=state),
    ]


NO_SPACE_FOR_ANYTHING = (
    BEGIN
    + """
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place], check=True)
(place / "filler").write_bytes(b"x" * 16384)
progress = Progress.open(folder)
try:
    answer(progress, "refused")
except StoreFull as error:
    print(error)
assert Progress.open(folder).cards() == {}
(place / "filler").unlink()
answer(progress, "after")
assert set(Progress.open(folder).cards()) == {"after"}
assert Progress.open(folder).notices == []
"""
)


@mounts
def test_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    printed = run_session(NO_SPACE_FOR_ANYTHING, tmp_path, inside=NAMESPACE)
    assert printed.strip() == FULL.format(file=tmp_path / "me" / "progress.json")


SHORT_WRITE = (
    BEGIN
    + """
import resource
progress = Progress.open(folder)
answer(progress, "before")
log = folder / "reviews.log"
before = contents()
for room in range(0, 120, 7):  # the line is longer than that: a part of it is written
    limit = log.stat().st_size + room
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        torn = Answered(at=1.0, question="torn", version=1, lesson="l", correct=True)
        progress._log.extend([torn])
        sys.exit("there was room")
    except StoreFull as error:
        message = str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert contents() == before
print(message)
answer(progress, "after")
assert set(Progress.open(folder).cards()) == {"before", "after"}
"""
)


@posix
def test_a_short_write_is_rolled_back(tmp_path: Path) -> None:
    printed = run_session(SHORT_WRITE, tmp_path)
    assert printed.strip() == FULL.format(file=tmp_path / "me" / "reviews.log")


def read_only_message(folder: Path) -> str:
    return (
        f"Progress is read-only here: {folder} is not writable. You can use everything, but "
        "no progress is saved. Make this folder writable, or set TUTOR_DATA to a writable folder, "
        "and restart tutor."
    )


READ_ONLY = (
    BEGIN
    + """
how = sys.argv[2]
if how == "mount":
    subprocess.run(["mount", "--bind", place, place], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
else:
    import filelock, tinydb  # another user may not be able to import these later
    if os.getuid() == 0:
        os.setuid(65534)  # root may write anywhere
before = contents()
progress = Progress.open(folder)
print("\\n".join(map(str, progress.notices)))
assert set(progress.cards()) == {"question-0", "question-1", "question-2"}
assert progress.lesson("one-question").screen == "ask"
for save in (
    lambda: answer(progress, "refused"),
    lambda: progress.save_lesson(LessonState(lesson="l", screen="t")),
    lambda: progress.save_setting("seed", 7),
):
    try:
        save()
    except StoreReadOnly as error:
        print(error)
assert contents() == before
assert set(progress.cards()) == {"question-0", "question-1", "question-2"}
"""
)


@mounts
def test_a_read_only_disk_can_be_read(filled: Path) -> None:
    printed = run_session(READ_ONLY, filled.parent, "mount", inside=NAMESPACE)
    assert printed.splitlines() == [read_only_message(filled)] * 4


@mounts
def test_a_read_only_disk_with_a_damaged_file_can_be_read(filled: Path) -> None:
    """Repairing in memory needs no write access."""
    (filled / "progress.json").write_bytes(b"")
    printed = run_session(READ_ONLY, filled.parent, "mount", inside=NAMESPACE).splitlines()
    assert printed[0] == read_only_message(filled)
    assert "progress.json is empty. Its backup is used instead" in printed[1]
    assert printed[2:] == [read_only_message(filled)] * 3


@pytest.fixture
def foreign() -> Iterator[Path]:
    """Make a folder that everyone can read and only its owner can write to.

    Another user cannot even enter pytest's own temporary folders.
    """
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


@posix
@pytest.mark.parametrize("what", ["folder", "files"])
def test_files_of_another_account_can_be_read(filled: Path, foreign: Path, what: str) -> None:
    folder = foreign / "me"
    shutil.copytree(filled, folder)
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555 if what == "folder" else 0o755)
    try:
        printed = run_session(READ_ONLY, foreign, "permissions").splitlines()
    finally:
        folder.chmod(0o755)
    assert set(printed) == {read_only_message(folder)}
    assert len(printed) == (4 if what == "folder" or os.getuid() == 0 else 3)


UNREADABLE = (
    BEGIN
    + """
import filelock, tinydb
if os.getuid() == 0:
    os.setuid(65534)
progress = Progress.open(folder)
print("\\n".join(map(str, progress.notices)))
print(sorted(progress.cards()))
try:
    answer(progress, "refused")
except StoreError as error:
    print(type(error).__name__)
"""
)


@posix
@pytest.mark.parametrize("name", ["progress.json", "reviews.log"])
def test_an_unreadable_file_leaves_a_notice(filled: Path, foreign: Path, name: str) -> None:
    folder = foreign / "me"
    shutil.copytree(filled, folder)
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o444)
    (folder / name).chmod(0o000)
    printed = run_session(UNREADABLE, foreign)
    assert f"{folder / name} could not be read: Permission denied." in printed
    assert "Check that the disk is available and that you own the file, then try again." in printed
    assert "['question-0', 'question-1', 'question-2']" in printed
    assert printed.splitlines()[-1] in {"StoreReadOnly", "StoreError"}


def test_a_place_where_no_folder_can_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    progress = Progress.open(tmp_path / "file" / "me")
    assert [str(notice) for notice in progress.notices] == [
        read_only_message(tmp_path / "file" / "me")
    ]
    assert progress.cards() == {}
