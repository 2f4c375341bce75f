"""Test the commands for due reviews, the report, and moving progress to another machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command_line import Tutor
from tutor import paths
from tutor.course.catalogue import load_course
from tutor.learner.progress import Progress
from tutor.learner.records import Answered
from tutor.learner.schedule import FITTED
from tutor.study import fit

DAY = 86_400
OWN_PARAMETERS = (
    "0.1 0.3 0.8 2 6.4133 0.8334 3.0194 0.001 1.8722 0.1666 0.796 1.4835 0.0614 0.2629 1.6483 "
    "0.6014 1.8729 0.5425 0.0912 0.0658 0.3"
)
"""The parameters of FSRS for someone who forgets faster than most people."""


def answer(learner: str, *, ago: float, questions: int, correct: bool = True) -> list[str]:
    """Answer the first questions of the course, and return their ids."""
    progress = Progress.open(paths.learner_folder(learner))
    asked = [(outline, each) for outline in load_course().outlines for each in outline.questions]
    for outline, question in asked[:questions]:
        progress.record(
            Answered(
                at=time.time() - ago * DAY,
                question=question.id,
                version=question.version,
                lesson=outline.id,
                correct=correct,
            )
        )
    return [question.id for _, question in asked[:questions]]


def test_due_is_a_number(tutor: Tutor) -> None:
    assert tutor("review", "--due").out == "0\n"
    answer("me", ago=30, questions=3)
    assert tutor("review", "--due").out == "3\n"
    assert tutor("review", "--due", "--learner", "ada").out == "0\n"
    answer("me", ago=0, questions=3)
    assert tutor("review", "--due").out == "0\n"


def test_due_respects_limits_and_counts_only_available_questions(tutor: Tutor) -> None:
    answer("me", ago=30, questions=5)
    progress = Progress.open(paths.learner_folder("me"))
    progress.record(Answered(at=1.0, question="gone", version=1, lesson="l", correct=True))
    assert tutor("review", "--due").out == "5\n"
    assert tutor("review", "--due", "--new", "3").out == "3\n"
    assert tutor("review", "--due", "--cap", "2").out == "2\n"
    assert tutor("review", "--due").out == "2\n"
    assert tutor("review", "--due", "--cap", "40").out == "3\n"
    for wrong in ("-1", "many", "1e3", "100000"):
        assert tutor("review", "--due", "--cap", wrong).status == 2


def test_due_needs_no_screen_and_no_model(tutor: Tutor, tmp_path: Path) -> None:
    """The command is for a shell prompt."""
    answer("me", ago=30, questions=2)
    program = (
        "import sys; from tutor.cli import main; main(['review', '--due']);"
        "print(sorted({'textual', 'rich', 'torch', 'fsrs', 'filelock', 'markdown_it'} & "
        "set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2\n[]\n"


def test_review_needs_a_terminal(tutor_process: Tutor) -> None:
    outcome = tutor_process("review")
    assert outcome.status == 1
    assert "is not a terminal" in outcome.err


def test_the_report_is_one_page_of_markdown(tutor: Tutor) -> None:
    answer("ada", ago=40, questions=4)
    answer("ada", ago=20, questions=1, correct=False)
    said = tutor("report", "--learner", "ada").out
    course = load_course()
    total = sum(len(outline.questions) for outline in course.outlines)
    assert said.startswith("# Progress of ada, 20")
    assert (
        f"- 4 of {total} questions answered; the last answer was right for 3 of them. 5 answers"
        in said
    )
    assert "- Active on 1 of the last 30 days.\n" in said
    assert re.search(r"^- Recall today: \d+ %\. Strength: \d+ days?\.$", said, re.MULTILINE)
    assert "- Due for review: 4 today, 4 within 14 days." in said
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(course.outlines)
    assert len({len(row) for row in rows}) == 1
    assert "## Worth another look" in said
    assert len(said.splitlines()) < 60


def test_a_report_without_progress(tutor: Tutor) -> None:
    outcome = tutor("report")
    assert outcome.status == 0
    assert "- 0 of " in outcome.out
    assert "Worth another look" not in outcome.out


def test_progress_goes_to_another_machine_and_back(tutor: Tutor, tmp_path: Path) -> None:
    answer("here", ago=30, questions=3)
    answer("there", ago=10, questions=5)
    files = {name: tmp_path / f"{name}.json" for name in ("here", "there")}
    for name, file in files.items():
        assert tutor("progress", "export", str(file), "--learner", name).status == 0
        assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600
    assert tutor("progress", "import", str(files["there"]), "--learner", "here").out == (
        "Imported 5 new events; 0 were already there.\n"
    )
    both = [str(file) for file in files.values()]
    assert tutor("progress", "import", *both, "--learner", "there").out == (
        "Imported 3 new events; 5 were already there.\n"
    )
    assert tutor("progress", "import", *both, "--learner", "here").out.startswith("Imported 0 new")
    here, there = (Progress.open(paths.learner_folder(name)) for name in files)
    assert here.cards() == there.cards()
    assert sum(card.answers for card in here.cards().values()) == 8


def test_an_export_can_be_written_to_standard_output(tutor: Tutor) -> None:
    questions = answer("me", ago=1, questions=2)
    exported = json.loads(tutor("progress", "export").out)
    assert [event["question"] for event in exported["events"]] == questions
    said = tutor("progress", "export", "--markdown").out
    assert all(question in said for question in questions)


def test_an_export_that_cannot_be_written_is_reported(tutor: Tutor, tmp_path: Path) -> None:
    answer("me", ago=1, questions=1)
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path, tmp_path / "no" / "folder", tmp_path / "file" / "within"):
        outcome = tutor("progress", "export", str(place))
        assert outcome.status == 1
        assert str(place) in outcome.err
    assert (tmp_path / "file").read_text() == "mine"


def test_markdown_escapes_stored_text(tutor: Tutor) -> None:
    hostile = "a|b](http://x)<img>\x1b[2J\n# heading"
    Progress.open(paths.learner_folder("me")).record(
        Answered(at=1.0, question=hostile, version=1, lesson="l", correct=True)
    )
    said = tutor("progress", "export", "--markdown").out
    assert "\x1b" not in said
    assert r"a\|b\](http://x)\<img\>" in said
    assert "\n# heading" not in said


@pytest.mark.parametrize("content", [b"{}", b"", b"\x00\xff"])
def test_an_invalid_file_is_refused_and_changes_nothing(
    tutor: Tutor, tmp_path: Path, content: bytes
) -> None:
    answer("me", ago=1, questions=2)
    good, bad = tmp_path / "good", tmp_path / "bad"
    answer("ada", ago=1, questions=1)
    tutor("progress", "export", str(good), "--learner", "ada")
    bad.write_bytes(content)
    folder = paths.learner_folder("me")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    outcome = tutor("progress", "import", str(good), str(bad))
    assert outcome.status == 1
    assert "cannot be imported" in outcome.err
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_log_with_damaged_lines_can_be_imported(tutor: Tutor, tmp_path: Path) -> None:
    answer("ada", ago=1, questions=3)
    log = tmp_path / "reviews.log"  # moved away from its copy
    lines = (paths.learner_folder("ada") / log.name).read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1].replace(b"answered", b"answ####") + lines[2])
    outcome = tutor("progress", "import", str(log))
    assert outcome.out == "Imported 2 new events; 0 were already there.\n"
    assert "1 line could not be read and was skipped" in outcome.err


def test_every_command_checks_the_log(tutor: Tutor) -> None:
    answer("ada", ago=1, questions=3)
    log = paths.learner_folder("ada") / "reviews.log"
    data = log.read_bytes()
    log.write_bytes(data[:200])
    outcome = tutor("review", "--due", "--learner", "ada")
    assert "reviews.log is incomplete. Nothing is lost" in outcome.err
    assert log.read_bytes() == data


@pytest.mark.parametrize("at", [0.0, -5.0, 1e11, 1e300])
def test_a_clock_that_was_once_wrong_does_no_harm(tutor: Tutor, at: float) -> None:
    progress = Progress.open(paths.learner_folder("me"))
    for zone in (0, 10**12):
        progress.record(
            Answered(at=at, question="q", version=1, lesson="l", correct=True, zone=zone)
        )
    answer("me", ago=1, questions=1)
    for command in (["report"], ["review", "--due"], ["progress", "export", "--markdown"]):
        assert tutor(*command).status == 0
    assert Progress.open(paths.learner_folder("me")).cards()["q"].answers == 2


def test_single_things_are_in_the_singular(tutor: Tutor, tmp_path: Path) -> None:
    lesson = """\
---
{id: small, number: 1, title: Small, summary: As small as one gets.}
---

## Only {#only}

Text.

```question
{id: q, type: number, ask: How many?, hint: Few., why: One., answer: 1}
```
"""
    (tmp_path / "01-small.md").write_text(lesson, encoding="utf-8")
    course = ("--course", str(tmp_path))
    assert tutor("lessons", *course).out == (
        " 1  Small  (1 screen, 0 predictions, 0 labs, 1 question)\n"
    )
    assert "0 of 1 question answered" in tutor("report", *course).out


def test_progress_has_the_same_figures_as_the_report(tutor: Tutor) -> None:
    assert "Recall" not in tutor("progress").out
    answer("me", ago=20, questions=3)
    found = re.search(r"Recall today: \d+ %\. Strength: \d+ days\.", tutor("progress").out)
    assert found is not None
    assert found[0] in tutor("report").out


def test_the_report_uses_the_desired_retention(tutor: Tutor) -> None:
    answer("me", ago=1, questions=4)
    usual = tutor("report").out
    config = Path(os.environ["TUTOR_DATA"]) / "config.toml"
    config.write_text("[review]\nretention = 0.95\n")
    assert "Due for review: 0 today" in usual
    assert "Due for review: 4 today" in tutor("report").out


def test_fitting_needs_many_reviews_and_can_be_undone(tutor: Tutor) -> None:
    answer("me", ago=30, questions=3)
    outcome = tutor("review", "--fit")
    assert outcome.status == 1
    assert "You have 0 reviews, and fitting needs 512." in outcome.err
    progress = Progress.open(paths.learner_folder("me"))
    usual = progress.cards()
    progress.save_setting(FITTED, OWN_PARAMETERS)
    assert progress.cards() != usual
    assert tutor("review", "--no-fit").out == "Reviews use the default schedule.\n"
    assert progress.cards() == usual


def test_fitting_saves_the_parameters_only_if_they_are_better(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago in (30, 25, 10, 1):
        answer("me", ago=ago, questions=3, correct=ago in (30, 1))
    progress = Progress.open(paths.learner_folder("me"))
    monkeypatch.setattr(fit, "fitted", lambda of: OWN_PARAMETERS)
    outcome = tutor("review", "--fit")
    assert "9 reviews, of which you answered 33.3% right." in outcome.out
    assert "--no-fit" in outcome.out
    assert progress.setting(FITTED) == OWN_PARAMETERS
    assert "Nothing was changed" in tutor("review", "--fit").out
    assert progress.setting(FITTED) == OWN_PARAMETERS
