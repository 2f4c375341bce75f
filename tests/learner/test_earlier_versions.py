"""Test folders of learners from earlier versions of tutor, one for each format of the state.

They were written by the code of their time, and their files must never be changed:

    1  before goals and labs were distinguished
    2  before events had ids and cards had due dates
    3  before the review log had a copy
    4  before the modules were moved to their present folders
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.learner.learner_sessions import answered, told
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Draft, LessonState

DATA = Path(__file__).with_name("data")
VERSIONS = sorted(int(folder.name.removeprefix("version-")) for folder in DATA.iterdir())


@pytest.fixture(params=VERSIONS, ids=lambda version: f"version-{version}")
def version(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture
def old(version: int, folder: Path) -> Path:
    shutil.copytree(DATA / f"version-{version}", folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "lock"}


def check_what_was_done(progress: Progress, version: int) -> None:
    counts = {name: (card.version, card.answers) for name, card in progress.cards().items()}
    assert {number: counts[f"question-{number}"] for number in range(4)} == {
        0: (1, 1),
        1: (1, 1),
        2: (2, 1),  # the question was changed, and answered again
        3: (1, 1),
    }
    assert progress.lesson("one-question") == LessonState(
        lesson="one-question",
        screen="ask",
        question="question-1",
        quiz_order=("question-0", "question-1"),
        quiz_seed=7,
        seen=("intro", "ask"),
        labs_done=("stepper",),
        goals_reached={"stepper": ("took-rank 50",)} if version > 1 else {},
        visited_at=1_700_000_800.0,
    )
    assert progress.lesson("tokens").read
    assert progress.lesson("one-question").visited_at > progress.lesson("tokens").visited_at
    assert (progress.setting("seed"), progress.setting("model")) == (7, "small")
    (guess,) = progress.guesses.recent
    assert (guess.guess, guess.actual, guess.rank) == (" sat", " ran", 4)
    drafts = {"question-1": Draft(version=1, answer="17", hinted=True)} if version > 2 else {}
    assert progress.state().drafts == drafts
    given = [event.answer for event in progress.events() if isinstance(event, Answered)]
    assert given[:5] == ["1,3", "Paris", "Paris", "Paris", "2"]
    assert told(progress) == ""


def test_everything_is_read_without_changing_a_file(old: Path, version: int) -> None:
    before = files(old)
    progress = Progress.open(old)
    check_what_was_done(progress, version)
    assert {name: files(old)[name] for name in before} == before


def test_a_learner_can_continue_and_no_line_of_the_log_changes(old: Path, version: int) -> None:
    before = files(old)
    Progress.open(old).record(answered(50))
    progress = Progress.open(old)
    check_what_was_done(progress, version)
    assert progress.cards().keys() >= {"question-50", "question-0"}
    after = files(old)
    assert after["reviews.log"].startswith(before["reviews.log"])
    assert after["reviews.log.copy"] == after["reviews.log"]
    for file in ("progress.json", "progress.json.bak"):
        (old / file).unlink()
    again = Progress.open(old)  # the log alone has the same answers
    assert again.cards() == progress.cards()
