"""Test indexes on disk that are updated, interrupted, shared or damaged, and hostile folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tutor import paths
from tutor.errors import UsageError
from tutor.retrieval import folder as folder_module
from tutor.retrieval import store, update
from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.passage import Passage
from tutor.retrieval.update import Progress

if sys.platform == "win32":
    pytest.skip("names and signals of POSIX systems", allow_module_level=True)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "wren.md").write_text("# Wrens\n\nA wren is a small bird.\n")
    (folder / "deep" / "heron.txt").write_text("A heron waits for fish.\n")
    (folder / "deep" / "deeper" / "owl.rst").write_text("An owl hunts at night.\n")
    return folder


def indexed(folder: Path, name: str = "birds") -> Progress:
    with store.opened_to_write(name, folder) as index:
        return deque(update.update(index, folder), maxlen=1)[0]


def found(query: str, name: str = "birds") -> list[str]:
    with store.opened(name) as index:
        return [each.passage.source for each in index.search(query, 20)]


def test_a_folder_is_indexed_and_searched(texts: Path) -> None:
    progress = indexed(texts)
    assert (progress.total, progress.done, progress.new) == (3, 3, 3)
    assert found("fish") == ["deep/heron.txt"]
    with store.opened("birds") as index:
        (hit,) = index.search("wrens", 1)
        assert hit.passage == Passage("wren.md", "", 3, "Wrens", "A wren is a small bird.")
        assert [hit.passage.text[start:stop] for start, stop in hit.marks] == ["wren"]
        assert index.folder == texts
        assert (index.listed().files, index.listed().passages) == (3, 3)


def test_only_changed_files_are_read_again(texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed(texts)
    read: list[str] = []
    original = folder_module.read

    def counting(folder: Path, file: folder_module.File) -> bytes:
        read.append(file.path.name)
        return original(folder, file)

    monkeypatch.setattr(folder_module, "read", counting)
    assert indexed(texts).unchanged == 3
    assert read == []
    (texts / "wren.md").write_text("# Wrens\n\nA wren sings.\n")
    (texts / "deep" / "heron.txt").unlink()
    (texts / "rook.md").write_text("A rook lives in a crowd.\n")
    os.utime(texts / "deep" / "deeper" / "owl.rst", (1, 1))  # touched, but not changed
    progress = indexed(texts)
    assert sorted(read) == ["owl.rst", "rook.md", "wren.md"]
    counts = (progress.new, progress.changed, progress.unchanged, progress.gone)
    assert counts == (1, 1, 1, 1)
    assert found("small") == found("fish") == []
    assert found("sings") == ["wren.md"]
    assert found("crowd") == ["rook.md"]
    assert indexed(texts).unchanged == 3


def test_stopped_at_any_point_it_continues(texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "AT_ONCE", 1)
    for number in range(10):
        (texts / f"{number}.md").write_text(f"Number word{number} of some.")
    with store.opened_to_write("birds", texts) as index:
        for progress in update.update(index, texts):
            if progress.done == 6:
                break
    with store.opened("birds") as index:
        kept = index.listed().files
    assert 5 <= kept < 13
    progress = indexed(texts)
    assert (progress.unchanged, progress.new) == (kept, 13 - kept)
    assert found("word9") == ["9.md"]


INDEX = """
import sys
from pathlib import Path
from tutor.retrieval import store, update
update.AT_ONCE = 20
folder = Path(sys.argv[1])
with store.opened_to_write("birds", folder) as index:
    for progress in update.update(index, folder):
        print(progress.done, flush=True)
        if progress.done == 150:
            sys.stdin.read()
"""


@pytest.fixture
def indexing(texts: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that is in the middle of indexing 300 files."""
    for number in range(300):
        (texts / f"{number:03}.md").write_text(f"# Number {number}\n\nThe word{number} of some.")
    process = subprocess.Popen(
        [sys.executable, "-c", INDEX, str(texts)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "150":
            break
    yield process
    process.kill()
    process.communicate()


def test_a_killed_index_is_valid_and_continues(
    texts: Path, indexing: subprocess.Popen[str]
) -> None:
    indexing.send_signal(signal.SIGKILL)
    indexing.wait()
    with store.opened("birds") as index:
        kept = index.listed()
        assert index.base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        index.base.execute("INSERT INTO passages(passages) VALUES ('integrity-check')")
    assert 100 <= kept.files <= 150
    assert indexed(texts).unchanged == kept.files
    assert found("word299") == ["299.md"]


def test_while_one_writes_others_may_search_but_not_write(
    texts: Path, indexing: subprocess.Popen[str]
) -> None:
    assert found("word3") == ["003.md"]
    with pytest.raises(RetrievalError, match="Another tutor process is writing"):
        indexed(texts)
    with pytest.raises(RetrievalError, match="Another tutor process is writing"):
        store.remove("birds")


def test_hostile_files_are_skipped_with_reasons(
    texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (texts / "binary.txt").write_bytes(b"MZ\0\1")
    (texts / "latin.txt").write_bytes("Zaunkönig".encode("latin-1"))
    (texts / "film.mp4").write_bytes(b"film")
    (texts / "wide.md").write_text("x" * (folder_module.LONGEST_LINE + 1))
    with (texts / "huge.md").open("wb") as stream:
        stream.truncate(10_000_000)
    (texts / "loop").symlink_to(texts)
    (texts / "itself.md").symlink_to("itself.md")
    os.mkfifo(texts / "pipe.md")
    (texts / ".hidden.md").write_text("hidden")
    (texts / "bad\udcff\nname.md").write_text("A kite has a strange file.")
    (texts / "empty.md").write_text("")
    progress = indexed(texts)
    assert dict(progress.left_out) == {
        "binary": 1,
        "not UTF-8": 1,
        "not a text file, judging by its name": 1,
        f"a line of more than {folder_module.LONGEST_LINE:,} characters": 1,
        "larger than 5 MB": 1,
        "a symbolic link": 2,
        "not a regular file": 1,
    }
    (name,) = found("kite")
    assert name.isprintable() or name.replace("\n", "").isprintable()
    assert "\udcff" not in name
    again = indexed(texts)  # reasons are reported again, although nothing is read
    assert again.left_out == progress.left_out
    assert again.unchanged == 5


def test_unreadable_files_are_skipped(texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root can read everything, so the refusal is simulated."""
    original = Path.open

    def refuse(self: Path, *rest: Any, **more: Any) -> Any:
        if self.name == "wren.md":
            raise PermissionError(13, "Permission denied")
        return original(self, *rest, **more)

    monkeypatch.setattr(Path, "open", refuse)
    assert indexed(texts).left_out == {"cannot be read": 1}
    with store.opened_to_write("other", texts / "gone") as index, pytest.raises(RetrievalError):
        list(update.update(index, texts / "gone"))


def test_names_are_checked_and_each_belongs_to_one_folder(texts: Path) -> None:
    indexed(texts)
    for name in ("", "../x", "a/b", "course", "x" * 50):
        with pytest.raises(UsageError):
            store.file_of(name)
    with pytest.raises(RetrievalError, match="belongs to another folder"):
        indexed(texts / "deep")
    indexed(texts / "deep", "deep")
    assert store.names() == ["deep", "birds"]
    store.remove("birds")
    assert store.names() == ["deep"]
    with pytest.raises(RetrievalError, match="There is no index"), store.opened("birds"):
        pass
    assert store.name_for(Path("/a/My notes (2)")) == "My-notes-2"
    assert store.name_for(Path("/")) == "texts"


@pytest.mark.parametrize(
    "damage", [b"", b"no database at all, but long enough to be looked at" * 9]
)
def test_a_damaged_index_is_reported(damage: bytes, texts: Path) -> None:
    indexed(texts)
    store.file_of("birds").write_bytes(damage)
    with pytest.raises(RetrievalError), store.opened("birds") as index:
        index.search("wren", 1)
    store.remove("birds")
    assert indexed(texts).new == 3


def test_an_index_of_another_version_is_reported(texts: Path) -> None:
    indexed(texts)
    with store.opened("birds") as index:
        index.base.execute("PRAGMA user_version = 99")
    with pytest.raises(RetrievalError, match="another version"), store.opened("birds"):
        pass
    with pytest.raises(RetrievalError, match="another version"):
        indexed(texts)


def test_an_extra_passage_is_there_for_one_search(texts: Path) -> None:
    indexed(texts)
    false = Passage("", "", 1, "Note", "A wren is a fish.")
    with store.opened("birds") as index:
        hits = index.search("wren fish", 5, false)
        assert false in [each.passage for each in hits]
        assert false not in [each.passage for each in index.search("wren fish", 5)]
        assert index.listed().passages == 3


def test_a_full_disk_is_reported_and_loses_nothing(texts: Path) -> None:
    indexed(texts)
    (texts / "rook.md").write_text("A rook lives in a crowd.\n\n" * 40_000)
    with store.opened_to_write("birds", texts) as index:
        pages = index.base.execute("PRAGMA page_count").fetchone()[0]
        index.base.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(RetrievalError, match="full"):
            list(update.update(index, texts))
    assert found("wren") == ["wren.md"]


def test_searching_creates_nothing(tmp_path: Path) -> None:
    assert store.names() == []
    assert not paths.indexes_folder().exists()
