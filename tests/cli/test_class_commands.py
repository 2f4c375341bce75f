"""Test `tutor class` and `tutor status`, as a teacher and a learner use them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.cli.command_line import Tutor
from tutor import paths
from tutor.classroom.learner import Row
from tutor.classroom.tables import Column, Table, learners_table
from tutor.cli import text_table
from tutor.course.catalogue import Course, load_course
from tutor.course.questions.choices import ChoiceQuestion
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, LessonState

TOTAL = 6
"""The number of learners in the class."""


@pytest.fixture(scope="module")
def known_course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Course]:
    """Load the course, with a filled cache, because reading it again takes longer than a report."""
    data = tmp_path_factory.mktemp("known")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTOR_DATA", str(data))
        return data / "cache", load_course()


@pytest.fixture
def course(known_course: tuple[Path, Course]) -> Course:
    return known_course[1]


@pytest.fixture(autouse=True)
def _eighty_columns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, known_course: tuple[Path, Course]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shutil.copytree(known_course[0], tmp_path / "data" / "cache")


@pytest.fixture
def school(tmp_path: Path, course: Course) -> Path:
    """Make the data folders of six learners.

    Each has read a screen and got the first question wrong in the same way, except one, who got
    it right.
    """
    lesson = course.outlines[2]
    read = course.lesson(lesson.id)
    assert read is not None
    question = read.questions[0]
    assert isinstance(question, ChoiceQuestion)
    wrong = next(n for n, each in enumerate(question.choices, 1) if not each.right)
    for number in range(TOTAL):
        folder = tmp_path / "school" / f"student{number}" / "learners" / "me"
        progress = Progress.open(folder)
        progress.save_lesson(LessonState(lesson=lesson.id, screen=lesson.screens[1].id))
        progress.record(
            Answered(
                at=time.time(),
                question=question.id,
                version=question.version,
                lesson=lesson.id,
                correct=number == 0,
                answer=str(wrong) if number else "",
            )
        )
    return tmp_path / "school"


def test_pseudonyms_stay_the_same(tutor: Tutor, school: Path) -> None:
    outcome = tutor("class", "report", str(school))
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("6 learners\n")
    assert "student" not in outcome.out
    assert len(set(re.findall(r"^[a-z2-7]{4}-[a-z2-7]{4}  3 Tokens", outcome.out, re.M))) == TOTAL
    assert re.search(r"^3 .*  83 %   6  ", outcome.out, re.M)
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert tutor("class", "report", str(school)).out == outcome.out
    paths.pseudonyms_key().unlink()
    assert tutor("class", "report", str(school)).out != outcome.out


def test_names_are_shown_on_request(tutor: Tutor, school: Path) -> None:
    said = tutor("class", "report", "--names", str(school), "--table", "learners").out
    assert [line.split()[0] for line in said.splitlines()[3:]] == [
        f"student{number}" for number in range(TOTAL)
    ]
    assert not paths.pseudonyms_key().exists()


def test_figures_left_out_of_a_small_group_are_counted(tutor: Tutor, school: Path) -> None:
    said = tutor("class", "report", *(str(school / f"student{number}") for number in range(4))).out
    assert "1 idea is left out because fewer than 5 learners have answered." in said
    assert "1 question is left out" in said
    assert "%" not in said.split("Ideas")[1]


def test_a_learner_sees_exactly_the_same_row(
    tutor: Tutor, school: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(said: str) -> str:
        return said.splitlines()[3].split("  ", 1)[1].strip()

    folder = str(school / "student1")
    teachers = tutor("class", "report", folder, "--table", "learners").out
    teachers_json = json.loads(tutor("class", "report", folder, "--json").out)["learners"][0]
    monkeypatch.setenv("TUTOR_DATA", folder)
    mine = tutor("class", "report", "--mine")
    assert row(mine.out) == row(teachers)
    assert "(to 1 question so far)" in " ".join(mine.out.split())
    mine_json = json.loads(tutor("class", "report", "--mine", "--json").out)["learners"][0]
    assert {**teachers_json, "name": "(you)"} == mine_json
    for wrong in (["--names"], [folder], ["--table", "ideas"]):
        assert tutor("class", "report", "--mine", *wrong).status == 2


def test_the_default_is_everyone_on_this_machine(
    tutor: Tutor, school: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = {school / "student0": "ada", school / "student1": "bob"}
    monkeypatch.setattr(paths, "account_data_folders", lambda: accounts)
    monkeypatch.setenv("TUTOR_DATA", str(school / "student1"))
    rows = json.loads(tutor("class", "report", "--names", "--json").out)["learners"]
    assert [row["name"] for row in rows] == ["ada", "bob"]


def test_json_and_csv_have_the_same_data(tutor: Tutor, school: Path) -> None:
    found = json.loads(tutor("class", "report", str(school), "--json").out)
    assert list(found) == [
        "learners",
        "ideas",
        "questions",
        "ideas_left_out",
        "questions_left_out",
    ]
    for table in ("learners", "ideas", "questions"):
        said = tutor("class", "report", str(school), "--csv", "--table", table).out
        rows = list(csv.DictReader(io.StringIO(said)))
        assert [list(row) for row in rows] == [list(each) for each in found[table]]
        texts = [{key: str(value) for key, value in each.items()} for each in found[table]]
        assert rows == texts


def test_markdown_and_csv_treat_names_as_text(tutor: Tutor, school: Path) -> None:
    names = ["=1+1", "a|b<i>"] if sys.platform != "win32" else ["=1+1"]
    for name in names:
        (school / "student0").rename(school / name)
        said = tutor("class", "report", "--names", str(school), "--csv").out
        assert not re.search(r"^[=+@-]", said, re.M)
        said = tutor("class", "report", "--names", str(school), "--markdown").out
        assert name.replace("|", r"\|").replace("<", r"\<").replace(">", r"\>") in said
        (school / name).rename(school / "student0")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX links")
def test_unreadable_learners_are_listed_on_standard_error(tutor: Tutor, school: Path) -> None:
    log = school / "student2" / "learners" / "me" / "reviews.log"
    log.rename(log.with_name("another-file"))
    log.symlink_to("another-file")
    outcome = tutor("class", "report", str(school))
    assert outcome.status == 0
    assert outcome.out.startswith("5 learners\n")
    assert f"! {log.parent} was skipped: " in outcome.err
    assert "No learner" in tutor("class", "report", str(school / "student2")).out


def test_it_loads_neither_the_screen_nor_torch(school: Path) -> None:
    program = (
        f"import sys; from tutor.cli import main; main(['class', 'report', {str(school)!r}]);"
        "main(['status']);"
        "print(sorted({'textual', 'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("Nothing is due.\n[]\n")


# --- what is due ----------------------------------------------------------------------------------


def test_assign_list_and_remove(tutor: Tutor) -> None:
    said = tutor("class", "assign", "3", "--due", "2190-11-27")
    assert (said.status, said.err) == (0, "")
    assert said.out == f"3 Tokens is due Sat 27 Nov 2190: {paths.class_file()}\n"
    assert "in the past" in tutor("class", "assign", "embeddings", "--due", "2001-01-01").err
    assert tutor("class", "assign", "tokens", "--due", "2190-12-01T18:00").status == 0
    listed = tutor("class", "assign", "--list").out.splitlines()
    assert listed == [
        " 4 Embeddings: overdue since Mon 1 Jan 2001",
        " 3 Tokens: due Wed 1 Dec 2190 18:00",
    ]
    assert tutor("class", "assign", "--remove", "4").out.startswith("embeddings is no longer due")
    assert tutor("class", "assign", "--remove", "4").out.startswith("embeddings had no due date")
    assert len(tutor("class", "assign", "--list").out.splitlines()) == 1


def test_status_prints_what_is_due(tutor: Tutor, course: Course) -> None:
    tutor("class", "assign", "tokens", "--due", "2190-11-27")
    tutor("class", "assign", "embeddings", "--due", "2001-01-01")
    said = tutor("status").out.splitlines()
    assert said == [
        "4 Embeddings: overdue since Mon 1 Jan 2001",
        "3 Tokens: due Sat 27 Nov 2190",
    ]
    question = course.outlines[0].questions[0]
    answered = Answered(
        at=1.0, question=question.id, version=question.version, lesson="x", correct=True
    )
    Progress.open(paths.learner_folder("me")).record(answered)
    assert tutor("status").out.startswith("1 question to review\n4 Embeddings")
    found = json.loads(tutor("status", "--json").out)
    assert found["reviews"] == 1
    assert [(each["lesson"], each["overdue"]) for each in found["lessons"]] == [
        ("embeddings", True),
        ("tokens", False),
    ]


def test_status_names_the_questions_over_the_daily_limit(tutor: Tutor, course: Course) -> None:
    progress = Progress.open(paths.learner_folder("me"))
    for question in course.outlines[0].questions[:3]:
        progress.record(
            Answered(
                at=1.0, question=question.id, version=question.version, lesson="x", correct=True
            )
        )
    progress.save_setting("review.new", 1)
    assert tutor("status").out.splitlines() == [
        "1 question to review",
        "2 more are due, over the limit of 1 new question a day",
    ]
    found = json.loads(tutor("status", "--json").out)
    assert (found["reviews"], found["over_limit"]) == (1, 2)
    progress.save_setting("review.cap", 0)
    said = tutor("status").out
    assert said == "3 questions are due, over the limit of 0 reviews a day\n"


def test_a_custom_class_file(tutor: Tutor, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    tutor("class", "assign", "tokens", "--due", "2190-11-27", "--class-file", str(file))
    assert "3 Tokens" in tutor("class", "assign", "--list", "--class-file", str(file)).out
    assert tutor("class", "assign", "--list").out == "No lesson has a due date.\n"
    assert tutor("status").out == "Nothing is due.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["tokens"],
        ["--due", "2026-11-27"],
        ["nowhere", "--due", "2026-11-27"],
        ["tokens", "--due", "soon"],
        ["tokens", "--due", "1999-01-01"],
        ["tokens", "--list"],
        ["--remove", "nowhere"],
    ],
)
def test_wrong_usage(tutor: Tutor, arguments: list[str]) -> None:
    outcome = tutor("class", "assign", *arguments)
    assert outcome.status == 2
    assert outcome.err
    assert not paths.class_file().exists()


def test_a_damaged_class_file_is_not_overwritten(tutor: Tutor) -> None:
    paths.class_file().parent.mkdir(parents=True)
    paths.class_file().write_text("{")
    outcome = tutor("class", "assign", "tokens", "--due", "2190-11-27")
    assert outcome.status == 1
    assert "assign the lessons again" in outcome.err
    assert paths.class_file().read_text() == "{"


# --- tables ---------------------------------------------------------------------------------------

cells = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=30)


@settings(max_examples=30)
@given(st.lists(st.tuples(cells, cells, cells), max_size=4), st.integers(20, 100))
def test_a_table_is_aligned_and_fits(rows: list[tuple[str, str, str]], width: int) -> None:
    columns = (
        Column("Name", least=6),
        Column("Words", least=8, wrap=True, rank=1),
        Column("n", right=True, least=3, rank=2),
    )
    lines = list(text_table.lines(Table(columns, tuple(rows)), width))
    assert all(cell_len(line) <= width for line in lines)
    assert lines[0].startswith("Name")


def test_columns_are_left_out_in_the_order_of_their_rank() -> None:
    row = Row(
        name="k3tq-9mzx", number=3, title="Tokens", place="screen", last_day=None, answered=2,
        right=1, mastery=0.5, recall=0.96, strength=12.4,
    )  # fmt: skip
    table = learners_table([row])
    shown = {width: list(text_table.lines(table, width)) for width in (80, 60, 51, 43)}
    assert "Right  Recall today  Strength" in shown[80][0]
    assert shown[80][1].endswith("96 %   12 days")
    assert shown[60][-1] == "(Columns that did not fit: Right.)"
    assert shown[51][-1] == "(Columns that did not fit: Right, Recall today.)"
    assert " ".join(shown[43][-2:]) == "(Columns that did not fit: Right, Recall today, Strength.)"
