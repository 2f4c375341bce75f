"""Test how the app uses a learner's progress, on an ordinary disk."""

from __future__ import annotations

import json
import math
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.learner.learner_sessions import answered, told
from tutor.errors import StoreError
from tutor.learner.progress import Progress
from tutor.learner.records import (
    Draft,
    Guessed,
    GuessHistory,
    LabDone,
    LessonRead,
    LessonState,
    Setting,
)
from tutor.learner.schema import CURRENT
from tutor.learner.store import LONGEST_SETTING


def test_a_new_learner_has_nothing_and_opening_writes_nothing(folder: Path) -> None:
    progress = Progress.open(folder)
    assert progress.cards() == {}
    assert progress.lessons() == {}
    assert progress.card("question-1") is None
    assert progress.setting("seed") is None
    assert progress.guesses == GuessHistory()
    assert progress.lesson("one-question") == LessonState(lesson="one-question")
    assert progress.notices == []
    assert not folder.exists()


def test_an_answer_is_still_there_after_opening_again(folder: Path) -> None:
    progress = Progress.open(folder)
    progress.record(answered(1, correct=False))
    progress.record(answered(1, correct=True))
    again = Progress.open(folder)
    for seen in (progress, again):
        card = seen.card("question-1")
        assert card is not None
        assert (card.answers, card.correct, card.last_correct) == (2, 1, True)
    assert told(progress) == told(again) == ""


def test_the_place_includes_the_screen_and_the_question(folder: Path) -> None:
    place = LessonState(
        lesson="one-question",
        screen="ask",
        question="q-2",
        quiz_order=("q-2", "q-1"),
        quiz_seed=7,
        seen=("start", "ask"),
        visited_at=10.0,
    )
    Progress.open(folder).save_lesson(place)
    again = Progress.open(folder)
    assert again.lesson("one-question") == place


def test_a_place_without_a_time_is_from_now(folder: Path) -> None:
    progress = Progress.open(folder)
    progress.save_lesson(LessonState(lesson="tokens", visited_at=20.0))
    progress.save_lesson(LessonState(lesson="embeddings"))
    assert progress.lesson("embeddings").visited_at > progress.lesson("tokens").visited_at == 20.0


def test_saving_a_place_undoes_nothing(folder: Path) -> None:
    """A session that opened the lesson earlier doesn't know about the goal or the other screens."""
    progress = Progress.open(folder)
    progress.record(LabDone(at=1.0, lab="stepper", lesson="one-question"))
    progress.record(LessonRead(at=2.0, lesson="one-question"))
    progress.save_lesson(LessonState(lesson="one-question", screen="end", seen=("start", "end")))
    progress.save_lesson(LessonState(lesson="one-question", screen="start", seen=("start",)))
    lesson = Progress.open(folder).lesson("one-question")
    assert lesson.labs_done == ("stepper",)
    assert lesson.read
    assert lesson.seen == ("start", "end")
    assert lesson.screen == "start"


def test_a_draft_in_a_review_is_kept_until_the_answer(folder: Path) -> None:
    draft = Draft(version=1, answer="17", hinted=True)
    Progress.open(folder).save_draft("question-1", draft)
    Progress.open(folder).save_draft("question-2", draft)
    assert Progress.open(folder).draft("question-1") == draft
    progress = Progress.open(folder)
    progress.record(answered(1))
    progress.save_draft("question-2", None)
    again = Progress.open(folder)
    assert again.draft("question-1") is None
    assert again.state().drafts == {}


def test_settings_keep_their_type(folder: Path) -> None:
    progress = Progress.open(folder)
    values: dict[str, Setting]
    values = {"text": "The capital of France is", "seed": 7, "temperature": 1.0, "ids": True}
    for name, value in values.items():
        progress.save_setting(name, value)
    again = Progress.open(folder)
    for name, value in values.items():
        assert again.setting(name) == value
        assert type(again.setting(name)) is type(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x" * (LONGEST_SETTING + 1), "too long to save .20,001 characters"),
        ("half a character \ud83d", "cannot be saved. Enter it again with ordinary"),
        (math.nan, "cannot be saved. Enter it again with ordinary"),
    ],
)
def test_a_setting_that_could_not_be_read_back_is_refused(
    filled: Path, value: str | float, words: str
) -> None:
    before = contents(filled)
    with pytest.raises(StoreError, match=words):
        Progress.open(filled).save_setting("text", value)
    assert contents(filled) == before


@pytest.mark.parametrize(
    "event",
    [
        Guessed(at=1.0, text="a", guess="\udcff", actual="b", rank=2, learner_bits=1, model_bits=1),
        Guessed(
            at=1.0, text="a", guess="c", actual="b", rank=2, learner_bits=math.inf, model_bits=1
        ),
    ],
)
def test_an_event_that_could_not_be_read_back_is_refused(filled: Path, event: Guessed) -> None:
    before = contents(filled)
    with pytest.raises(StoreError, match=r"cannot be saved\. Enter it again"):
        Progress.open(filled).record(event)
    assert contents(filled) == before


def test_guesses_have_totals_and_a_bounded_history(folder: Path) -> None:
    progress = Progress.open(folder)
    for number in range(60):
        progress.record(
            Guessed(
                at=float(number),
                text="a long text " * 100,
                guess="x",
                actual="y",
                rank=number + 1,
                learner_bits=8.0,
                model_bits=2.0,
            )
        )
    guesses = Progress.open(folder).guesses
    assert (guesses.rounds, guesses.learner_bits, guesses.model_bits) == (60, 480.0, 120.0)
    assert [guess.rank for guess in guesses.recent] == list(range(11, 61))
    assert all(len(guess.text) == 200 for guess in guesses.recent)


def test_a_session_sees_the_changes_of_another(folder: Path) -> None:
    first, second = Progress.open(folder), Progress.open(folder)
    first.record(answered(1))
    assert set(second.cards()) == {"question-1"}
    second.record(answered(2))
    second.save_setting("seed", 3)
    assert set(first.cards()) == {"question-1", "question-2"}
    assert first.setting("seed") == 3


def test_concurrent_threads_lose_nothing(folder: Path) -> None:
    progress = Progress(folder, timeout=60)

    def answer(name: str) -> None:
        for number in range(10):
            progress.record(answered(number, question=f"{name}-{number}"))
            progress.save_lesson(LessonState(lesson=name, screen=str(number)))

    threads = [threading.Thread(target=answer, args=(f"thread-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = Progress.open(folder)
    assert len(again.cards()) == 30
    assert {lesson.screen for lesson in again.lessons().values()} == {"9"}
    assert told(again) == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_the_learner_can_read_the_files(filled: Path) -> None:
    previous = os.umask(0)
    try:
        Progress.open(filled.with_name("other")).record(answered(1))
    finally:
        os.umask(previous)
    for place in (filled, filled.with_name("other")):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in place.iterdir()} == {0o600}


def test_export_is_plain_data_with_everything(filled: Path) -> None:
    exported = json.loads(json.dumps(Progress.open(filled).export()))
    assert exported["format"] == CURRENT.version
    assert [card["question"] for card in exported["cards"]] == [
        "question-0",
        "question-1",
        "question-2",
    ]
    assert exported["lessons"][0]["screen"] == "ask"
    assert exported["guesses"]["rounds"] == 0
    assert exported["settings"] == {}


def test_the_state_stays_small_however_many_answers(folder: Path) -> None:
    progress = Progress.open(folder)
    for number in range(10):
        progress.record(answered(number, question=f"q-{number % 2}"))
    size = (folder / "progress.json").stat().st_size
    for number in range(10, 60):
        progress.record(answered(number, question=f"q-{number % 2}"))
    assert (folder / "progress.json").stat().st_size < size + 50


def test_reading_needs_neither_lock_library_nor_torch(filled: Path) -> None:
    """The first screen reads progress, so modules for saving must not be imported for it."""
    code = (
        "import sys; from pathlib import Path; from tutor.learner.progress import Progress\n"
        "assert len(Progress.open(Path(sys.argv[1])).cards()) == 3\n"
        "print(sorted({'filelock', 'torch', 'textual'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(filled)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}
