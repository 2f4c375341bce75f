"""Test that a scan of a lesson finds the same as the parser, or nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.course.lesson_text import FRONT, SCREEN, SINGLE, SMALL
from tutor import paths
from tutor.course.catalogue import Opening, load_course
from tutor.course.facts import read_facts
from tutor.course.folder import FACTS
from tutor.course.outline import Outline, outline_of
from tutor.course.reading.outline_scan import scan_outline
from tutor.course.reading.parse import read
from tutor.errors import LessonError

OURS = sorted(paths.lessons_folder().glob("[0-9]*.md"))


def parsed(text: str) -> Outline | None:
    outcome = read(text, "x.md", OUR_FACTS)
    if outcome.lesson is None:
        return None
    outline = outline_of(outcome.lesson, "x.md", outcome.lines)
    return msgspec.structs.replace(outline, needs_line=1)


OUR_FACTS = read_facts((paths.lessons_folder() / FACTS).read_text("utf-8"), FACTS)


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_our_lessons(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert scan_outline(text.encode(), "x.md") == parsed(text) is not None


QUESTIONS_ALONE = FRONT + SCREEN + "\n## Questions {#questions}\n" + SINGLE


@pytest.mark.parametrize(
    "text", [SMALL, QUESTIONS_ALONE, SMALL.replace("id: pick", "id: 'pick' # x")]
)
def test_other_spellings_of_the_same(text: str) -> None:
    assert scan_outline(text.encode(), "x.md") == parsed(text) is not None


@settings(max_examples=150, deadline=None)
@example(SMALL.index("```") + 4, 0, "```")
@given(
    st.integers(0, len(SMALL)),
    st.integers(0, 40),
    st.sampled_from(["", "```", "\n", "## A {#a}\n"]),
)
def test_the_outline_never_differs_from_the_parsers(start: int, length: int, new: str) -> None:
    text = SMALL[:start] + new + SMALL[start + length :]
    found, sound = scan_outline(text.encode(), "x.md"), parsed(text)
    assert found is None or sound is None or found == sound


def test_a_large_course_is_only_scanned_at_first(tmp_path: Path) -> None:
    for number in (1, 2):
        text = SMALL.replace("number: 7", f"number: {number}").replace("hint:", "hunt:")
        for name in ("small", "pick", "sure"):
            text = text.replace(f"id: {name}", f"id: {name}-{number}")
        (tmp_path / f"0{number}.md").write_text(text)
    course = load_course(tmp_path, most_parsed=1)
    assert [outline.id for outline in course.outlines] == ["small-1", "small-2"]
    assert course.problems == ()
    with pytest.raises(LessonError, match="hunt"):
        course.lesson("small-2")


def test_a_new_course_is_scanned_at_once_and_parsed_later(tmp_path: Path) -> None:
    for number, text in ((1, SMALL), (2, SMALL.replace("hint:", "hunt:"))):
        text = text.replace("number: 7", f"number: {number}")
        for name in ("small", "pick", "sure"):
            text = text.replace(f"id: {name}", f"id: {name}-{number}")
        (tmp_path / f"0{number}.md").write_text(text)
    (tmp_path / "glossary.md").write_text("## Term {#term}\n\nSee [it](nowhere.md).\n")
    opening = Opening(tmp_path)
    first = opening.course()
    assert not opening.complete
    assert [outline.id for outline in first.outlines] == ["small-1", "small-2"]
    assert first.problems == ()
    for _file in opening.read_rest():
        pass
    assert opening.complete
    problems = [str(problem) for problem in opening.course().problems]
    assert ["hunt" in problems[0], "nowhere.md" in problems[1], len(problems)] == [True, True, 2]
    again = Opening(tmp_path)
    assert again.complete
    assert [str(problem) for problem in again.course().problems] == problems


def test_the_glossary_is_available_before_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "01.md").write_text(SMALL)
    (tmp_path / "glossary.md").write_text("## Term {#term}\n\nIt.\n")
    assert list(Opening(tmp_path).course().glossary) == ["term"]


@pytest.mark.parametrize(
    "fields",
    [
        "title: 'Quoted: with a colon'",
        "title: plain, with (brackets) and 100 %",
        "title: x # not this",
        "summary: on one line",
        "summary: >-\n  Folded: and\n  # not a comment",
        "summary: >-\n  Folded\n\n  twice",
        "summary: >\n  With its end",
        "needs: []",
        "needs: [a, b-c,d]",
        "needs:\n  - a",
        "source: [One, Two]",
        "source:\n  - One\n  - 'Two: three'",
        "learned: [One., Two.]",
        "learned:\n  - One.\n  - 'Two: three.'\n  - Four\n    lines.",
        "number: 12",
        "version: 3",
        "title: x\n  continued",
    ],
)
def test_all_ways_to_write_front_matter(fields: str) -> None:
    name = fields.partition(":")[0]
    usual = {
        "id": "id: x",
        "number": "number: 7",
        "title": "title: X",
        "summary": "summary: >-\n  Y\n  z.",
    }
    text = "---\n" + "\n".join({**usual, name: fields}.values()) + "\n---\n" + SCREEN
    assert scan_outline(text.encode(), "x.md") == parsed(text) is not None
