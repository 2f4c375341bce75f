"""Test saving in the background: calls return immediately, and saves are ordered and complete."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from tests.learner.learner_sessions import answered, named
from tutor.errors import StoreError
from tutor.learner.background import BackgroundProgress
from tutor.learner.errors import StoreFull
from tutor.learner.lock import locked
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState, Undone, new_id
from tutor.learner.store import LONGEST_SETTING

PATIENCE = 30.0

T = TypeVar("T")


class Gate:
    """A gate that blocks the writing thread before each save until `open` is called."""

    def __init__(self, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order: list[str] = []
        self._open = threading.Event()
        record, change = progress.record, progress.change

        def held(name: str, save: Callable[[T], None]) -> Callable[[T], None]:
            def wait(what: T) -> None:
                assert self._open.wait(PATIENCE)
                self.order.append(name)
                save(what)

            return wait

        monkeypatch.setattr(progress, "record", held("record", record))
        monkeypatch.setattr(progress, "change", held("change", change))

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def progress(folder: Path) -> Progress:
    return Progress.open(folder)


def test_a_save_returns_before_the_disk_has_it_and_is_read_at_once(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(progress, monkeypatch)
    background = BackgroundProgress(progress)
    done = background.record(answered(1))
    background.save_lesson(LessonState(lesson="l", screen="ask"))
    background.save_setting("seed", 7)
    assert background.cards().keys() == {"question-1"}
    assert background.lesson("l").screen == "ask"
    assert background.lessons().keys() == {"l"}
    assert background.setting("seed") == 7
    assert background.unsaved == 3
    assert not done.done()
    assert Progress.open(progress.folder).cards() == {}
    gate.open()
    assert background.drain(PATIENCE)
    assert done.result(PATIENCE) is None
    assert background.unsaved == 0
    for reading in (background, Progress.open(progress.folder)):
        assert reading.cards()["question-1"].answers == 1
        assert reading.lesson("l").screen == "ask"
        assert reading.setting("seed") == 7


def test_saves_are_made_in_the_order_of_the_requests(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(progress, monkeypatch)
    background = BackgroundProgress(progress)
    for number in range(3):
        background.save_lesson(LessonState(lesson="l", question=f"question-{number}"))
        background.record(answered(number))
    gate.open()
    assert background.drain(PATIENCE)
    assert gate.order == ["change", "record"] * 3
    # Each answer belongs to the current question, which shows that the order was kept.
    assert Progress.open(progress.folder).lesson("l").question == "question-2"


def test_an_outdated_place_is_not_written(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress.open(filled)
    gate = Gate(progress, monkeypatch)
    background = BackgroundProgress(progress)
    background.record(answered(1))
    for number in range(50):
        last = background.save_lesson(LessonState(lesson="l", screen=f"screen-{number}"))
    gate.open()
    assert background.drain(PATIENCE)
    assert last.done()
    assert gate.order == ["record", "change"]
    assert Progress.open(progress.folder).lesson("l").screen == "screen-49"


def test_a_failed_save_is_reported_and_undone_and_later_ones_are_made(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exception] = []
    refused: list[StoreError | None] = []
    background = BackgroundProgress(
        progress, told.append, lambda: refused.append(background.refused)
    )
    record, full = progress.record, StoreFull("The disk is full.", "Make room.")

    def fail_once(event: object) -> None:
        monkeypatch.setattr(progress, "record", record)
        raise full

    monkeypatch.setattr(progress, "record", fail_once)
    failed, made = background.record(answered(1)), background.record(answered(2))
    assert failed.exception(PATIENCE) is full
    assert made.exception(PATIENCE) is None
    assert background.drain(PATIENCE)
    assert told == [full]
    assert refused == [full, None]
    assert background.cards().keys() == {"question-2"}


def test_an_unexpected_error_is_reported(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exception] = []
    background = BackgroundProgress(progress, told.append)
    mistake = RuntimeError("a bug")

    def broken(event: object) -> None:
        raise mistake

    monkeypatch.setattr(progress, "record", broken)
    assert background.record(answered(1)).exception(PATIENCE) is mistake
    assert background.drain(PATIENCE)
    assert told == [mistake]


def test_changes_of_another_session_are_seen(progress: Progress) -> None:
    background = BackgroundProgress(progress)
    Progress.open(progress.folder).record(answered(1))
    assert background.cards().keys() == {"question-1"}


def test_a_lock_held_by_another_session_does_not_block(folder: Path) -> None:
    told: list[Exception] = []
    background = BackgroundProgress(Progress(folder, timeout=0.2), told.append)
    with locked(folder / "lock", 1.0):
        busy = background.record(answered(1))
        assert not background.drain(0.0)
        assert "saving your progress for 0.2 seconds" in str(busy.exception(PATIENCE))
    assert background.drain(PATIENCE)
    assert [str(error) for error in told] == [str(busy.exception())]
    assert background.record(answered(2)).result(PATIENCE) is None


def test_a_notice_during_a_save_is_reported_at_once(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exception] = []
    background = BackgroundProgress(Progress.open(filled), told.append)
    (filled / "progress.json").write_bytes(b"")
    background.record(answered(5)).result(PATIENCE)
    assert background.drain(PATIENCE)
    assert len(told) == 1
    assert "is empty. Its backup is used instead" in str(told[0])
    assert background.notices == tuple(told)


def test_a_setting_that_can_never_be_saved_is_refused_at_once(progress: Progress) -> None:
    background = BackgroundProgress(progress)
    with pytest.raises(StoreError, match="too long to save"):
        background.save_setting("text", "x" * (LONGEST_SETTING + 1))
    assert background.unsaved == 0


def test_an_answer_can_be_undone_before_it_is_saved(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(progress, monkeypatch)
    background = BackgroundProgress(progress)
    first, second = named(1), msgspec.structs.replace(named(1), id="second", correct=False)
    background.record(first)
    before = background.card("question-1")
    background.record(second)
    assert background.card("question-1") != before
    background.record(Undone(at=2e6, answer="second", question="question-1"))
    assert background.card("question-1") == before
    gate.open()
    assert background.drain(PATIENCE)
    assert (
        background.card("question-1") == before == Progress.open(progress.folder).card("question-1")
    )


def test_ids_sort_in_the_order_of_their_creation() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
