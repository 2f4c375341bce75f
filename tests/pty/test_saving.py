"""Test which data is saved after the program was killed, hung up or left, in a real terminal."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.later import later
from tests.shipped_course import shipped_course, with_cached_course
from tests.terminal import DEADLINE, Terminal
from tutor.course.questions.several import SeveralChoices
from tutor.learner.lock import locked
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonState
from tutor.paths import learner_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the learner's folder of the program under test."""
    monkeypatch.setenv("TUTOR_DATA", str(with_cached_course(tmp_path)))
    monkeypatch.setenv("TUTOR_MODEL", str(tmp_path / "no-such-model.gguf"))
    return learner_folder()


def tutor() -> Terminal:
    return Terminal([sys.executable, "-m", "tutor"])


def review() -> Terminal:
    return Terminal([sys.executable, "-m", "tutor", "review"])


def line_of(mark: str, run: Terminal) -> str:
    (line,) = [line for line in run.text.splitlines() if mark in line]
    return line[line.index("[x]") :]


def to_the_questions(run: Terminal) -> None:
    """Go to the questions of lesson 2, which begin with one that has choices."""
    run.wait_for("Begin   ")
    run.press("down", "down", "down")
    run.wait_for("›  2  ")
    run.press("enter")
    run.wait_for(" 1 of ")
    run.press("a")
    run.wait_for("question 1 of ")
    run.wait_for("a-d choose")


def place(folder: Path) -> LessonState:
    (state,) = Progress.open(folder).lessons().values()
    return state


def wait_saved(run: Terminal, folder: Path, what: str) -> None:
    """Wait until the draft of the question on the screen is on disk."""

    def saved() -> bool:
        lessons = Progress.open(folder).lessons().values()
        return any(state.draft is not None and bool(state.draft.answer) for state in lessons)

    deadline = time.monotonic() + DEADLINE
    while not saved():
        assert time.monotonic() < deadline, what
        run.read(0.05)


def kill(run: Terminal) -> None:
    run.signal(signal.SIGKILL)
    assert run.wait_exit() == -signal.SIGKILL


def test_killed_on_an_answered_question_it_shows_the_result(folder: Path) -> None:
    with tutor() as run:
        to_the_questions(run)
        run.press("b", "enter")
        run.wait_for("saved")
        mark = "✓ b" if "✓ b" in run.text else "× b"
        kill(run)
    with tutor() as run:
        run.wait_for("Continue")
        run.press("enter")
        run.wait_for("question 1 of ")
        run.wait_for("saved")
        assert mark in run.text
        run.press("enter")
        run.wait_for("question 2 of ")
    assert [card.answers for card in Progress.open(folder).cards().values()] == [1]


def test_killed_in_the_middle_of_an_answer_it_restores_the_draft(folder: Path) -> None:
    with tutor() as run:
        to_the_questions(run)
        run.press("c")
        wait_saved(run, folder, "the choice")
        kill(run)
    with tutor() as run:
        run.wait_for("Continue")
        run.press("enter")  # the text comes before the questions
        run.wait_for("a questions")
        run.press("a")
        run.wait_for("› c")
    assert Progress.open(folder).cards() == {}


def test_killed_in_the_middle_of_a_review_it_restores_the_draft(folder: Path) -> None:
    question = next(
        each
        for lesson in shipped_course().lessons
        for each in lesson.questions
        if isinstance(each, SeveralChoices)
    )
    answer = Answered(
        at=time.time() - 30 * 86_400,
        question=question.id,
        version=question.version,
        lesson="",
        correct=True,
    )
    Progress.open(folder).record(answer)
    with review() as run:
        run.wait_for("a-d tick")
        run.press("h")
        run.wait_for("Hint:")
        run.press("c")
        run.wait_for("[x] c")
        chosen = line_of("[x] c", run)
        deadline = time.monotonic() + DEADLINE
        while not (draft := Progress.open(folder).draft(question.id)) or not draft.answer:
            assert time.monotonic() < deadline
            run.read(0.05)
        kill(run)
    with review() as run:
        run.wait_for("[x]")
        run.wait_for("Hint:")
        assert line_of("[x]", run)[7:] == chosen[7:]  # the letters are shuffled again
        run.press("enter")
        run.wait_for("saved")
    assert Progress.open(folder).draft(question.id) is None
    assert Progress.open(folder).cards()[question.id].answers == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, *later([signal.SIGHUP])])
def test_a_signal_loses_no_pending_save(folder: Path, number: signal.Signals) -> None:
    with tutor() as run:
        run.wait_for("Begin   ")
        run.press("enter")
        run.wait_for(" 1 of ")
        run.wait_until(lambda: bool(Progress.open(folder).lessons()), "the first save")
        before = place(folder).screen
        with locked(folder / "lock", 5.0):
            run.press("right")
            run.wait_for(" 2 of ")
            run.signal(number)
            with pytest.raises(subprocess.TimeoutExpired):
                run.process.wait(0.5)  # the save waits for its turn
            assert place(folder).screen == before
        assert run.wait_exit() == 128 + number
    assert place(folder).screen != before


def test_a_failed_save_on_leaving_is_reported_on_the_terminal(folder: Path) -> None:
    with tutor() as run:
        run.wait_for("Begin   ")
        run.press("enter")
        run.wait_for(" 1 of ")
        run.wait_quiet()
        with locked(folder / "lock", 5.0):
            run.press("right")
            run.wait_for(" 2 of ")
            run.press("esc")
            run.wait_for("Continue")
            run.press("q")
            run.wait_for("Saving your progress")
            assert run.wait_exit() == 0
        assert "Another session has been saving your progress" in run.text
