"""Test killed sessions and simultaneous sessions, in separate processes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.learner.learner_sessions import answered, run_session, start_writer, told
from tutor.learner.errors import StoreBusy
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState
from tutor.learner.review_log import ReviewLog

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def kill_writer_after(folder: Path, name: str, answers: int) -> list[str]:
    """Start a session, kill it after it has saved `answers` answers, and return these answers."""
    writer = start_writer(folder, name, 0)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(answers)]
    writer.kill()
    acknowledged += writer.stdout.read().split()  # those written between our reading and its death
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    return acknowledged


def kill_in_a_loop(folder: Path, rounds: int) -> None:
    generator = random.Random(1)
    acknowledged: set[str] = set()
    for number in range(rounds):
        acknowledged |= set(kill_writer_after(folder, f"s{number}", generator.randint(1, 12)))
        progress = Progress.open(folder)
        assert acknowledged <= set(progress.cards())
        # The answer that the session was saving when it was killed may also be stored.
        assert len(progress.cards()) <= len(acknowledged) + number + 1
        assert told(progress) == ""
    assert not any(line.damaged for line in ReviewLog(folder / "reviews.log").read())
    assert len(list(folder.iterdir())) <= 6  # killed writers do not leave more and more files


@posix
def test_kill_9_loses_no_acknowledged_answer(folder: Path) -> None:
    kill_in_a_loop(folder, 8)


@posix
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kill_9_loses_no_acknowledged_answer_in_300_kills(folder: Path) -> None:
    kill_in_a_loop(folder, 300)


@posix
def test_kill_9_before_every_single_file_operation(tmp_path: Path) -> None:
    """Kill a session that records two answers and two positions before each file operation."""
    writer = start_writer(tmp_path, "a", 2, "kill")
    acknowledged = writer.communicate()[0].split()
    assert writer.returncode == 0
    places = [path.name for path in tmp_path.iterdir() if path.name.isdigit()]
    assert len(places) > 25  # the number of operations, which shows that the hook counts them
    for place in places:
        folder = tmp_path / place / "me"
        saved = {question for question in acknowledged if question.startswith(f"{place}-")}
        progress = Progress.open(folder)
        assert saved <= set(progress.cards())
        assert len(progress.cards()) <= len(saved) + 1
        if len(saved) == 2:
            assert progress.lesson(f"{place}-a").screen in {"0", "1"}
        # The next session continues as if nothing had happened.
        progress.record(answered(9))
        progress.save_lesson(LessonState(lesson="a", screen="9"))
        again = Progress.open(folder)
        assert saved | {"question-9"} <= set(again.cards())
        assert again.lesson("a").screen == "9"
        assert told(progress) == told(again) == ""


@pytest.mark.parametrize("sessions", [2, 4])
def test_simultaneous_sessions_lose_nothing(folder: Path, sessions: int) -> None:
    writers = [start_writer(folder, f"s{number}", 15) for number in range(sessions)]
    outputs = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * sessions
    progress = Progress.open(folder)
    assert set(progress.cards()) == {name for output in outputs for name in output}
    assert len(progress.cards()) == sessions * 15
    assert all(card.answers == 1 for card in progress.cards().values())
    assert {lesson.screen for lesson in progress.lessons().values()} == {"14"}
    assert told(progress) == ""
    lines = list(ReviewLog(folder / "reviews.log").read())
    assert len(lines) == sessions * 15
    assert all(line.event for line in lines)


HOLD_THE_LOCK = """
import sys
from pathlib import Path
from tutor.learner.lock import locked
with locked(Path(sys.argv[1]) / "lock", 5):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_that_is_held_too_long_is_reported_and_freed_by_death(filled: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(filled)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    progress = Progress(filled, timeout=0.1)
    assert len(progress.cards()) == 3  # reading does not wait
    with pytest.raises(StoreBusy) as caught:
        progress.record(answered(3))
    assert str(caught.value) == (
        "Progress is in use: Another session has been saving your progress for 0.1 seconds. "
        "Nothing is lost. Try again, or close the other session."
    )
    assert len(Progress.open(filled).cards()) == 3
    holder.kill()
    holder.communicate()
    progress.record(answered(3))
    assert len(Progress.open(filled).cards()) == 4


def test_a_session_sees_changes_of_another_process(filled: Path) -> None:
    progress = Progress.open(filled)
    assert len(progress.cards()) == 3
    run_session(
        "import sys; from pathlib import Path\n"
        "from tutor.learner.progress import Progress\n"
        "from tutor.learner.records import Answered\n"
        "Progress.open(Path(sys.argv[1])).record(Answered(\n"
        "    at=1.0, question='other', version=1, lesson='l', correct=False))",
        filled,
    )
    assert "other" in progress.cards()
