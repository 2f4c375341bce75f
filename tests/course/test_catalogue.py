"""Test folders with valid and invalid lessons."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.course.lesson_text import SMALL
from tutor.course.catalogue import course_summary, load_course
from tutor.course.reading.place import MAXIMUM_BYTES
from tutor.errors import LessonError


def other(number: int) -> str:
    """Return a lesson without any id of `SMALL`."""
    text = SMALL.replace("id: small", f"id: small-{number}").replace(
        "number: 7", f"number: {number}"
    )
    return text.replace("id: pick", f"id: pick-{number}").replace("id: sure", f"id: sure-{number}")


def test_lessons_are_sorted_by_number(tmp_path: Path) -> None:
    (tmp_path / "1-z.md").write_text(other(9))
    (tmp_path / "2-a.md").write_text(other(3))
    (tmp_path / "README.md").write_text("# Not a lesson")
    course = load_course(tmp_path)
    assert [lesson.number for lesson in course.lessons] == [3, 9]
    assert not course.problems


def test_one_bad_file_never_hides_the_others(tmp_path: Path) -> None:
    (tmp_path / "01-bad.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "02-good.md").write_text(SMALL)
    (tmp_path / "03-large.md").write_bytes(b"x" * (MAXIMUM_BYTES * 50))
    (tmp_path / "04-folder.md").mkdir()
    course = load_course(tmp_path)
    assert [lesson.id for lesson in course.lessons] == ["small"]
    assert [problem.file for problem in course.problems] == [
        "01-bad.md",
        "03-large.md",
        "04-folder.md",
    ]


def test_questions_are_found_with_their_lessons(tmp_path: Path) -> None:
    (tmp_path / "07-small.md").write_text(SMALL)
    course = load_course(tmp_path)
    found = course.question("pick")
    assert found is not None
    assert (found[0].id, found[1].id) == ("small", "pick")
    assert course.lesson("small") is found[0]
    assert course.question("nothing") is None
    assert course.lesson("nothing") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SMALL, "id 'small'"),
        (other(7), "number 7"),
        (other(8).replace("id: pick-8", "id: pick"), "id 'pick'"),
        (other(8).replace("id: sure-8", "id: sure"), "id 'sure'"),
    ],
)
def test_ids_are_unique_in_a_course(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "07-small.md").write_text(SMALL)
    (tmp_path / "08-other.md").write_text(text)
    course = load_course(tmp_path)
    assert len(course.lessons) == 1
    assert words in course.problems[0].problem
    assert course.problems[0].file == "08-other.md"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SMALL)
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "07-small.md").symlink_to(tmp_path / "secret")
    (folder / "08-itself.md").symlink_to(folder / "08-itself.md")
    course = load_course(folder)
    assert not course.lessons
    assert "link that leads out of" in course.problems[0].problem
    assert len(course.problems) == 2


def test_a_folder_that_is_a_link_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "07-small.md").write_text(SMALL)
    (tmp_path / "link").symlink_to(folder)
    assert load_course(tmp_path / "link").lessons


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="nowhere"):
        load_course(tmp_path / "nowhere")


def test_a_file_name_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "1\x1b[2J.md").write_text("nothing")
    assert "\x1b" not in str(load_course(tmp_path).problems[0])


def test_the_summary_has_the_agreed_shape(tmp_path: Path) -> None:
    (tmp_path / "07-small.md").write_text(SMALL)
    assert msgspec.to_builtins(course_summary(load_course(tmp_path))) == (
        {
            "id": "small",
            "number": 7,
            "title": "A small lesson",
            "screens": 1,
            "questions": 1,
            "question_types": {"single": 1},
            "labs": ("sure",),
            "predictions": 0,
        },
    )
