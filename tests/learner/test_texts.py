"""Test the shelf of texts: sessions do not overwrite each other, and its size is bounded."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tutor.errors import StoreError
from tutor.learner import texts
from tutor.learner.background import BackgroundProgress
from tutor.learner.progress import Progress
from tutor.learner.texts import MOST, OpenText, TextInfo, Texts, TextShelf


def info(name: str, at: float = 1.0, **more: Any) -> TextInfo:
    return TextInfo(id=name, place="free", at=at, title=name, **more)


def test_a_saved_text_is_found_again(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path / "texts")
    stored = shelf.save(info("a", tokens=3), b"body")
    assert shelf.list("free") == [stored]
    assert shelf.list("lab") == []
    assert shelf.read("a") == b"body"


def test_a_text_changed_by_another_session_gets_a_new_id(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path)
    first = shelf.save(info("a"), b"first")
    theirs = shelf.save(first, b"theirs")
    mine = shelf.save(first, b"mine")
    assert theirs.id == "a" != mine.id
    assert (shelf.read("a"), shelf.read(mine.id)) == (b"theirs", b"mine")
    assert shelf.save(mine, b"more").id == mine.id


def test_the_oldest_text_without_a_star_is_removed(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path)
    for number in range(MOST):
        shelf.save(info(f"t{number}", at=number), b"")
    shelf.star("t0", True)
    shelf.save(info("new", at=0.5), b"")
    kept = {item.id for item in shelf.list("free")}
    assert len(kept) == MOST
    assert {"t0", "t2", "new"} <= kept
    assert "t1" not in kept


def test_an_opened_text_comes_first_and_stays_in_its_other_sessions(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path)
    first = shelf.save(info("a", at=1.0), b"first")
    shelf.save(info("b", at=2.0), b"second")
    shelf.opened("a", 3.0)
    assert [each.id for each in shelf.list("free")] == ["a", "b"]
    shelf.opened("a", 0.5)  # the clock was moved
    assert shelf.list("free")[0].at == 3.0
    assert shelf.save(first, b"more").id == "a"


def test_an_opened_text_comes_first_before_this_is_saved(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path)
    for at, name in enumerate("ab"):
        shelf.save(info(name, at=at), b"")
    texts = Texts(shelf, lambda write, replaces: Future())
    texts.opened("a")
    assert [each.id for each in texts.list("free")] == ["a", "b"]
    assert [each.id for each in shelf.list("free")] == ["b", "a"]


def test_a_text_can_be_opened_where_nothing_can_be_written(tmp_path: Path) -> None:
    progress = BackgroundProgress(Progress.open(tmp_path))
    (tmp_path / "texts").write_bytes(b"not a folder")
    progress.texts.opened("a").result(10)
    assert progress.drain(10)


def test_a_star_survives_the_next_save(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path)
    stored = shelf.save(info("a"), b"one")
    shelf.star("a", True)
    assert shelf.save(stored, b"two").starred
    assert shelf.read("a") == b"two"


def test_not_all_texts_can_be_starred(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path)
    for number in range(MOST):
        shelf.save(info(f"t{number}", at=number), b"")
    for number in range(MOST - 1):
        shelf.star(f"t{number}", True)
    with pytest.raises(StoreError):
        shelf.star(f"t{MOST - 1}", True)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\n", b'{"id":"a"', b"nonsense\nmore"])
def test_damaged_files_are_skipped(tmp_path: Path, content: bytes) -> None:
    shelf = TextShelf(tmp_path)
    shelf.save(info("good"), b"body")
    (tmp_path / "bad.text").write_bytes(content)
    assert [item.id for item in shelf.list("free")] == ["good"]
    assert shelf.read("bad") is None


def test_an_incomplete_body_is_not_used(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path)
    shelf.save(info("a"), b"body" * 100)
    path = tmp_path / "a.text"
    path.write_bytes(path.read_bytes()[:-3])
    assert shelf.read("a") is None


def test_a_text_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "LARGEST", 10)
    heard: list[Exception] = []
    progress = BackgroundProgress(Progress.open(tmp_path), heard.append)
    saving = progress.texts.save(OpenText("free"), b"x" * 11, title="", tokens=1)
    with pytest.raises(StoreError, match="too large to save"):
        saving.result(10)
    assert len(heard) == 1


def test_a_save_that_ends_while_the_shelf_is_read_is_seen(tmp_path: Path) -> None:
    writes: list[Callable[[], None]] = []

    class Shelf(TextShelf):
        def list(self, place: str) -> list[TextInfo]:
            found = super().list(place)
            while writes:
                writes.pop()()
            return found

    def put(write: Callable[[], None], replaces: object) -> Future[None]:
        writes.append(write)
        return Future()

    mine, text = Texts(Shelf(tmp_path), put), OpenText("free")
    for title in ("before", "after"):
        mine.save(text, b"body", title=title, tokens=1)
        assert [info.title for info in mine.list("free")] == [title]
        assert not writes


def test_pending_saves_are_read_as_done(tmp_path: Path) -> None:
    progress = BackgroundProgress(Progress.open(tmp_path))
    text = OpenText("free")
    for number in range(20):
        progress.texts.save(text, b"%d" % number, title=str(number), tokens=1)
        (listed,) = progress.texts.list("free")
        assert listed.title == str(number)
        assert progress.texts.read(listed.id) == b"%d" % number
    assert progress.drain(10)
    assert TextShelf(tmp_path / "texts").read(text.id) == b"19"
    assert not text.parted


def test_a_decompression_bomb_is_not_read(tmp_path: Path) -> None:
    shelf = TextShelf(tmp_path / "texts")
    shelf.save(info("a"), b"body")
    file = tmp_path / "texts" / "a.text"
    head, _, _ = file.read_bytes().partition(b"\n")
    file.write_bytes(head + b"\n" + zlib.compress(bytes(10 * texts.LARGEST)))
    assert file.stat().st_size < texts.LARGEST / 50
    tracemalloc.start()
    try:
        assert shelf.read("a") is None
        assert tracemalloc.get_traced_memory()[1] < 3 * texts.LARGEST
    finally:
        tracemalloc.stop()


def test_a_text_with_the_id_of_another_file_is_skipped(tmp_path: Path) -> None:
    precious = tmp_path / "precious.text"
    precious.write_text("mine")
    shelf = TextShelf(tmp_path / "texts")
    for number in range(MOST):
        shelf.save(info(f"{number}", at=number + 10.0), b"body")
    file = tmp_path / "texts" / "0.text"
    file.write_bytes(file.read_bytes().replace(b'"id":"0"', b'"id":"../precious"'))
    assert len(shelf.list("free")) == MOST - 1
    for number in range(3):
        shelf.save(info(f"new{number}", at=100.0 + number), b"body")
    assert precious.read_text() == "mine"
