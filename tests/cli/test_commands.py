"""Test the other commands: lessons, progress, lint, and errors on the command line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.cli.command_line import Tutor
from tests.course.lesson_text import SMALL
from tests.shipped_course import shipped_course
from tutor import __version__, paths
from tutor.cli.main import command_line, parser
from tutor.labs.kit import registry
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, GoalReached, LessonState


def test_version(tutor: Tutor) -> None:
    assert tutor("--version").out == f"tutor {__version__}\n"


@pytest.mark.parametrize("arguments", [["nothing"], ["model"], ["lessons", "--model", "x"]])
def test_wrong_usage(tutor: Tutor, arguments: list[str]) -> None:
    outcome = tutor(*arguments)
    assert outcome.status == 2
    assert outcome.err.startswith("usage:")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ("step", "tutor step"),
        ("step --top x", "tutor step"),
        ("lab --nothing", "tutor lab"),
        ("class assign", "tutor class assign"),
        ("nothing", "tutor"),
    ],
)
def test_an_error_names_the_command_and_its_help(
    tutor: Tutor, arguments: str, command: str
) -> None:
    error, next_step = tutor(*arguments.split()).err.splitlines()[-2:]
    assert error.startswith(f"{command}: error: ")
    assert next_step == f"Run `{command} --help` to see how it is used."


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--theme dark --learner ada",
        "--theme step",
        "--model lab",
        "--model lab lab attention --model x",
        "-c step x",
        "step x --top 5 -- y",
        "--top 5 step x",
        "step --top many x",
        "nothing",
        "--nothing",
        "--help",
        "lab --help",
        "lab --hel",
        "class",
        "model check x --base-url http://127.0.0.1:1/v1",
    ],
)
def test_a_command_line_means_the_same_with_fewer_commands(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The options are equal, or the output and the exit status are."""

    def outcome(parse: Callable[[list[str]], Namespace]) -> tuple[object, str, str]:
        try:
            result: object = vars(parse(given.split()))
        except SystemExit as exited:
            result = exited.code
        return result, *capsys.readouterr()

    assert outcome(command_line) == outcome(lambda words: parser().parse_args(words))


def test_the_list_of_labs_marks_the_goals_that_were_reached(tutor: Tutor) -> None:
    lab = registry.every()[0]
    first, second, *_ = lab.goals
    Progress.open(paths.learner_folder("ada")).record(
        GoalReached(at=1.0, lab=lab.name, lesson=lab.lesson, goal=first.name)
    )
    lines = tutor("lab", "--list", "--learner", "ada").out.splitlines()
    assert f"  ✓ {first.says}" in lines
    assert f"  ○ {second.says}" in lines
    assert "✓" not in tutor("lab", "--list").out


def test_lessons(tutor: Tutor) -> None:
    course = shipped_course()
    listed = json.loads(tutor("lessons", "--json").out)
    assert [each["id"] for each in listed] == [lesson.id for lesson in course.lessons]
    for each, lesson in zip(listed, course.lessons, strict=True):
        assert sorted(each) == sorted(
            [
                "id",
                "number",
                "title",
                "screens",
                "questions",
                "question_types",
                "labs",
                "predictions",
            ]
        )
        assert each["questions"] == sum(each["question_types"].values()) == len(lesson.questions)
        assert each["labs"] == [lab.id for lab in lesson.labs]
    assert all(lesson.title in tutor("lessons").out for lesson in course.lessons)


def test_a_lesson_with_an_error_does_not_hide_others(tutor: Tutor, tmp_path: Path) -> None:
    good = paths.lessons_folder() / "02-one-question.md"
    (tmp_path / good.name).write_bytes(good.read_bytes())
    (tmp_path / "99-bad.md").write_text("no front matter")
    outcome = tutor("lessons", "--json", "--course", str(tmp_path))
    assert len(json.loads(outcome.out)) == 1
    assert "99-bad.md" in outcome.err
    assert outcome.status == 1


def test_progress(tutor: Tutor) -> None:
    assert "No lesson has been opened yet" in tutor("progress").out
    progress = Progress.open(paths.learner_folder("ada"))
    progress.record(Answered(at=1.0, question="q", version=1, lesson="one-question", correct=True))
    exported = json.loads(tutor("progress", "--learner", "ada", "--json").out)
    assert [card["question"] for card in exported["cards"]] == ["q"]
    assert exported == json.loads(msgspec.json.encode(progress.export()))
    assert json.loads(tutor("progress", "--json").out)["cards"] == []


def test_progress_has_the_figures_of_the_app(tutor: Tutor) -> None:
    """Progress counts everything in the lesson, and only answers that are valid for it now."""
    lesson = shipped_course().lessons[0]
    progress = Progress.open(paths.learner_folder("me"))
    first, second = lesson.questions[:2]
    for question, version in ((first, first.version), (second, second.version + 1)):
        progress.record(
            Answered(at=1.0, question=question.id, version=version, lesson=lesson.id, correct=True)
        )
    seen = (lesson.screens[0].id, "a-screen-that-is-gone")
    progress.save_lesson(LessonState(lesson=lesson.id, seen=seen))
    progress.save_lesson(LessonState(lesson="gone"))
    said = tutor("progress").out
    assert f"1 of {len(lesson.screens)} screens" in said
    assert f"0 of {len(lesson.labs)} labs" in said
    assert f"1 of {len(lesson.questions)} questions right" in said
    assert "gone: no longer in the course" in said


def test_showing_damaged_progress_does_not_repair_it(tutor: Tutor) -> None:
    folder = paths.learner_folder("me")
    progress = Progress.open(folder)
    for number in (1, 2):
        progress.save_lesson(LessonState(lesson=f"lesson-{number}"))
    (folder / "progress.json").write_bytes(b"{")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    outcome = tutor("progress", "--json")
    assert "Its backup is used instead" in outcome.err
    assert "The next save renames the damaged file to progress.json.damaged." in outcome.err
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert [each["lesson"] for each in json.loads(outcome.out)["lessons"]] == ["lesson-1"]


def test_another_course_and_its_progress_are_kept_apart(tutor: Tutor, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "07-small.md").write_text(SMALL)
    folder = ("--course", str(theirs))
    listed = json.loads(tutor(*folder, "lessons", "--json").out)
    assert listed == json.loads(tutor("lessons", *folder, "--json").out)
    assert [each["id"] for each in listed] == ["small"]

    progress = Progress.open(paths.learner_folder("me", theirs))
    progress.record(Answered(at=1.0, question="q", version=1, lesson="x", correct=True))
    assert len(json.loads(tutor("progress", *folder, "--json").out)["cards"]) == 1
    assert json.loads(tutor("progress", "--json").out)["cards"] == []
    assert paths.learner_folder("me", paths.lessons_folder()) == paths.learner_folder("me")


def test_a_missing_course(tutor: Tutor, tmp_path: Path) -> None:
    outcome = tutor("lessons", "--course", str(tmp_path / "nowhere"))
    assert outcome.status == 2
    assert "is not a folder" in outcome.err


def test_progress_of_an_invalid_name(tutor: Tutor) -> None:
    outcome = tutor("progress", "--learner", "../me")
    assert outcome.status == 2
    assert "can't be used as a learner's name" in outcome.err


def test_lint(tutor: Tutor, tmp_path: Path) -> None:
    assert tutor("lint").status == 0
    (tmp_path / "1-bad.md").write_text("no front matter")
    outcome = tutor("lint", str(tmp_path))
    assert outcome.status == 1
    assert "1-bad.md:1: error:" in outcome.out
    (finding, *_) = json.loads(tutor("lint", "--json", str(tmp_path)).out)
    assert finding["level"] == "error"


def test_without_a_terminal(tutor_process: Tutor) -> None:
    outcome = tutor_process()
    assert outcome.status == 1
    assert "is not a terminal" in outcome.err
    assert "Run `tutor --plain`" in outcome.err
    assert outcome.out == ""


def test_the_setting_for_plain_mode_needs_no_terminal(tutor_process: Tutor, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.toml").write_text("plain = true\n")
    outcome = tutor_process(input=b"quit\n", TERM="dumb")
    assert outcome.status == 0
    assert outcome.out.startswith("Welcome to tutor")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_is_too_simple(term: str) -> None:
    master, slave = pty.openpty()
    try:
        status = subprocess.run(
            [sys.executable, "-m", "tutor"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"TERM": term},
            timeout=60,
            check=False,
        ).returncode
        shown = os.read(master, 10_000).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert status == 1
    assert "set TERM" in shown
    assert "\x1b" not in shown
