"""Test checks that need all files of a course, and the cache between two starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.course.lesson_text import SMALL, line_of
from tutor import paths
from tutor.course.catalogue import Course, load_course
from tutor.course.consistency import usable_outlines
from tutor.course.facts import Fact
from tutor.course.outline import Outline
from tutor.course.reading import parse
from tutor.course.targets import ScreenTarget, TermTarget, target
from tutor.errors import LessonError

GLOSSARY = "## Logit {#logit}\n\nA score, see [there](07-small.md#first).\n"


def lesson(name: str, number: int, needs: str = "", text: str = "") -> str:
    """Return a lesson that shares no id with lessons of other names."""
    body = SMALL.replace("id: small", f"id: {name}").replace("number: 7", f"number: {number}")
    body = body.replace("id: pick", f"id: {name}-pick").replace("id: sure", f"id: {name}-sure")
    return body.replace("summary:", f"needs: [{needs}]\nsummary:").replace("Some *text*.", text)


def course_of(folder: Path, **files: str) -> Course:
    for name, text in files.items():
        (folder / name.replace("_", "-").replace("x", "0", 1)).with_suffix(".md").write_text(text)
    return load_course(folder)


# --- across files --------------------------------------------------------------------------------


def test_lessons_that_need_each_other(tmp_path: Path) -> None:
    text = lesson("a", 1, "c", "Text.")
    course = course_of(
        tmp_path,
        x1=text,
        x2=lesson("b", 2, "a", "Text."),
        x3=lesson("c", 3, "b", "Text."),
        x4=lesson("d", 4, "c", "Text."),
    )
    (problem,) = course.problems
    assert "a needs c needs b needs a" in problem.problem
    assert (problem.file, problem.line) == ("01.md", line_of(text, "needs:"))
    assert len(course.outlines) == 4


def test_a_lesson_that_needs_itself_or_a_missing_one(tmp_path: Path) -> None:
    course = course_of(tmp_path, x1=lesson("a", 1, "a, zeta", "Text."))
    missing, itself = course.problems
    assert "'zeta'" in missing.problem
    assert "a needs a" in itself.problem


def test_a_chain_as_long_as_a_course_can_be() -> None:
    def outline(number: int) -> Outline:
        needs = (f"l{number + 1}",)
        return Outline(f"l{number}", number, 1, "", "", needs, (), (), ())

    chain = [outline(number) for number in range(5000)]
    (problem,) = usable_outlines(chain, ()).problems
    assert "'l5000'" in problem.problem


def test_links_across_the_course(tmp_path: Path) -> None:
    (tmp_path / "glossary.md").write_text(GLOSSARY)
    text = lesson(
        "a",
        1,
        text="[a](glossary.md#logit) [b](07-small.md#first) [c](07-small.md) [d](https://x.y)",
    )
    (tmp_path / "07-small.md").write_text(SMALL)
    course = course_of(tmp_path, x1=text)
    assert course.problems == ()
    assert target("glossary.md#logit", course) == TermTarget("logit")
    assert target("07-small.md#first", course) == ScreenTarget("small", "first")
    assert target("07-small.md", course) == ScreenTarget("small", "")
    assert target("#first", course, "a") == ScreenTarget("a", "first")
    for nowhere in ("#nothing", "https://x.y", "09-x.md", "glossary.md#none", "glossary.md", ""):
        assert target(nowhere, course, "a") is None
    assert target("#first", course) is None


@pytest.mark.parametrize(
    ("href", "words"),
    [
        ("glossary.md#logits", "does not lead to a term"),
        ("07-small.md#last", "does not lead to a screen of that lesson"),
        ("08-large.md", "does not lead to a lesson"),
    ],
)
def test_links_without_a_target(tmp_path: Path, href: str, words: str) -> None:
    (tmp_path / "glossary.md").write_text(GLOSSARY)
    (tmp_path / "07-small.md").write_text(SMALL)
    text = lesson("a", 1, text=f"Some\ntext, a [link]({href}).")
    course = course_of(tmp_path, x1=text)
    (problem,) = course.problems
    assert words in problem.problem
    assert (problem.file, problem.line) == ("01.md", line_of(text, "text, a"))
    assert course.lesson("a") is not None


def test_a_link_in_the_glossary_without_a_target(tmp_path: Path) -> None:
    (tmp_path / "glossary.md").write_text(GLOSSARY)
    (problem,) = course_of(tmp_path, x1=lesson("a", 1, text="Text.")).problems
    assert (problem.file, problem.line) == ("glossary.md", 3)


def test_a_taken_id_is_reported_with_its_line(tmp_path: Path) -> None:
    text = lesson("b", 2, text="Text.").replace("b-pick", "a-pick")
    course = course_of(tmp_path, x1=lesson("a", 1, text="Text."), x2=text)
    (problem,) = course.problems
    assert (problem.file, problem.line) == ("02.md", line_of(text, "```question"))


@pytest.mark.parametrize("name", ["glossary.md", "facts.yaml"])
def test_an_invalid_file_beside_the_lessons_hides_none(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("- secret\n")
    for index, data in enumerate((b"\xff\xfe", b"x" * 5_000_000, b"a\x00b", b"\x1b[2J", None)):
        folder = tmp_path / str(index)
        folder.mkdir()
        (folder / "07-small.md").write_text(SMALL)
        if data is None:
            (folder / name).symlink_to(outside)
        else:
            (folder / name).write_bytes(data)
        course = load_course(folder)
        assert course.outline("small") is not None
        (problem,) = course.problems
        assert problem.file == name
        assert problem.line >= 1
        assert "secret" not in str(problem)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
def test_a_file_that_would_block_forever_is_not_opened(tmp_path: Path) -> None:
    for name in ("01-pipe.md", "glossary.md", "facts.yaml"):
        os.mkfifo(tmp_path / name)
    problems = load_course(tmp_path).problems
    assert ["not a regular file" in problem.problem for problem in problems] == [True] * 3


# --- the cache --------------------------------------------------------------------------------


def cache_files() -> list[Path]:
    return list((paths.cache_folder() / "courses").glob("*"))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record which files are parsed."""
    files: list[str] = []
    read = parse.read

    def counting(text: str, where: str, facts: Sequence[Fact] = ()) -> parse.Outcome:
        files.append(where)
        return read(text, where, facts)

    monkeypatch.setattr(parse, "read", counting)
    return files


def test_only_changed_files_are_parsed(tmp_path: Path, counted: list[str]) -> None:
    first = course_of(tmp_path, x1=lesson("a", 1, text="Text."), x2=lesson("b", 2, text="Text."))
    assert counted == ["01.md", "02.md"]
    again = load_course(tmp_path)
    assert counted == ["01.md", "02.md"]
    assert again.outlines == first.outlines
    (tmp_path / "02.md").write_text(lesson("b", 2, text="Other text."))
    load_course(tmp_path)
    assert counted[2:] == ["02.md"]


def test_without_changes_no_parser_is_loaded(tmp_path: Path) -> None:
    course_of(tmp_path, x1=lesson("a", 1, text="Text."))
    script = (
        "import sys; from pathlib import Path; from tutor.course.catalogue import load_course;"
        "load_course(Path(sys.argv[1])); print(*{'yaml', 'markdown_it'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == ""


def test_a_lesson_is_read_when_it_is_needed(tmp_path: Path, counted: list[str]) -> None:
    course_of(tmp_path, x1=lesson("a", 1, text="Text."))
    course = load_course(tmp_path)
    del counted[:]
    assert course.outlines[0].questions[0].id == "a-pick"
    assert counted == []
    found = course.lesson("a")
    assert found is not None
    assert found is course.lesson("a")
    assert course.question("a-pick") == (found, found.questions[0])
    assert counted == ["01.md"]


def test_problems_are_cached_too(tmp_path: Path, counted: list[str]) -> None:
    first = course_of(tmp_path, x1="nothing")
    again = load_course(tmp_path)
    assert counted == ["01.md"]
    assert [str(each) for each in again.problems] == [str(each) for each in first.problems]


def test_other_facts_change_the_lesson(tmp_path: Path, counted: list[str]) -> None:
    facts = "- {id: a, product: A, topic: T, value: V, as_of: 2026-01, source: S}\n"
    (tmp_path / "facts.yaml").write_text(facts)
    text = lesson("a", 1, text="```facts\ntopics: [T]\nproducts: [A]\n```")
    assert course_of(tmp_path, x1=text).problems == ()
    (tmp_path / "facts.yaml").write_text(facts.replace("topic: T", "topic: U"))
    assert "no topic 'T'" in load_course(tmp_path).problems[0].problem


@pytest.mark.parametrize("data", [b"", b"\xc1" * 100, b"\x92\xa1a\x80"])
def test_a_damaged_cache_counts_as_empty(tmp_path: Path, data: bytes) -> None:
    first = course_of(tmp_path, x1=lesson("a", 1, text="Text."))
    files = cache_files()
    assert files
    for file in files:
        file.write_bytes(data)
    assert load_course(tmp_path).outlines == first.outlines


def test_a_cache_that_cannot_be_written_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("TUTOR_DATA", str(file / "inside"))
    folder = tmp_path / "lessons"
    folder.mkdir()
    assert course_of(folder, x1=lesson("a", 1, text="Text.")).outlines


def test_a_file_that_changes_after_the_course_was_opened(tmp_path: Path) -> None:
    course = course_of(tmp_path, x1=lesson("a", 1, text="Text."))
    (tmp_path / "01.md").write_text(lesson("z", 1, text="Text."))
    with pytest.raises(LessonError, match="now contains the lesson"):
        course.lesson("a")
    (tmp_path / "01.md").unlink()
    with pytest.raises(LessonError, match="cannot be read"):
        course.lesson("a")
