"""Test folders with arbitrary contents: every problem is reported with its line."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.course.lesson_text import SMALL
from tutor import paths
from tutor.course.catalogue import Course, load_course
from tutor.course.search import search
from tutor.course.targets import target

_HOSTILE = st.sampled_from(
    [
        *(b"\xff", b"\x00", b"\x1b[2J", b"\r", b"\r\n", "\u202e".encode(), b"\xef\xbb\xbf"),
        *(b"```", b"```lab\n", b"```facts\n", b"```include\n", b"---\n", b"## A {#a}\n", b"- "),
        *(b"[a](glossary.md#", b"[a](../../etc/passwd)", b"tutor/../../x.py#y", b"<b>", b"&#x1b;"),
        *(b"id: ", b"type: compare\n", b"needs: [small]\n", b"{", b"&a *a", b"!!python/name:os "),
    ]
)
_EDIT = st.tuples(st.integers(0, 40_000), st.integers(0, 60), _HOSTILE | st.binary(max_size=12))


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Return `data` with parts removed and others inserted."""
    for place, length, new in edits:
        at = place % (len(data) + 1)
        data = data[:at] + new + data[at + length :]
    return data


def look_through(course: Course, names: set[str]) -> None:
    for problem in course.problems:
        assert problem.file in names
        assert problem.line >= 1
        assert problem.next_step
        assert "\x1b" not in str(problem)
    for lesson in course.lessons:
        assert course.outline(lesson.id) is not None
    for word in ("a", "first"):
        assert all(hit.target for hit in search(course, word))
    target("#first", course, "small")


@settings(max_examples=60, deadline=None)
@given(st.lists(_EDIT, max_size=6), st.lists(_EDIT, max_size=3), st.lists(_EDIT, max_size=3))
def test_our_own_files_with_arbitrary_edits(
    lesson: list[tuple[int, int, bytes]],
    glossary: list[tuple[int, int, bytes]],
    facts: list[tuple[int, int, bytes]],
) -> None:
    ours = paths.lessons_folder()
    files = {
        "11-choosing.md": lesson,
        "glossary.md": glossary,
        "facts.yaml": facts,
    }
    with TemporaryDirectory() as place:
        for name, edits in files.items():
            (Path(place) / name).write_bytes(edited((ours / name).read_bytes(), edits))
        (Path(place) / "07-small.md").write_text(SMALL)
        course = load_course(Path(place))
        assert course.outline("small") is not None
        look_through(course, {*files, "07-small.md"})


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_arbitrary_bytes(lesson: bytes, glossary: bytes, facts: bytes) -> None:
    with TemporaryDirectory() as place:
        (Path(place) / "01-a.md").write_bytes(lesson)
        (Path(place) / "glossary.md").write_bytes(glossary)
        (Path(place) / "facts.yaml").write_bytes(facts)
        course = load_course(Path(place))
        assert course.outlines == ()
        look_through(course, {"01-a.md", "glossary.md", "facts.yaml"})


@pytest.mark.parametrize("field", ["title: A small lesson", "summary: Just enough.", "why: So it"])
@pytest.mark.parametrize("text", ["<b>&lt;[x](y) `a` *b*", "${HOME} %s {0} [/bold] $(ls)", "␛[2J"])
def test_markup_in_a_field_stays_text(tmp_path: Path, field: str, text: str) -> None:
    name = field.partition(":")[0]
    (tmp_path / "07-small.md").write_text(SMALL.replace(field, f"{name}: >-\n  {text}\n#"))
    course = load_course(tmp_path)
    assert course.problems == ()
    lesson = course.lessons[0]
    assert text in (lesson.title, lesson.summary, lesson.questions[0].why)


def test_files_in_any_order_make_the_same_course(tmp_path: Path) -> None:
    ours = sorted(path for path in paths.lessons_folder().iterdir() if path.is_file())
    random.Random(1).shuffle(ours)
    for file in ours:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert load_course(tmp_path).outlines == load_course().outlines
