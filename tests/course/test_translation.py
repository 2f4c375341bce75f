"""Test lessons in another language: found by name, compared by ids, never worse than none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.course.lesson_text import SMALL
from tutor import language
from tutor.authoring.lint import look_over
from tutor.course.catalogue import Course, Opening, load_course
from tutor.errors import LessonError

GERMAN = (
    SMALL.replace("A small lesson", "Eine kleine Lektion")
    .replace("First screen", "Erste Seite")
    .replace("ask: Which?", "ask: Welche?")
)

OTHER = SMALL.replace("id: small", "id: other").replace("number: 7", "number: 8")
OTHER = OTHER.replace("id: pick", "id: pick-other").replace("id: sure", "id: sure-other")

Change = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two lessons, of which the first has a German translation."""
    (tmp_path / "07-small.md").write_text(SMALL)
    (tmp_path / "08-other.md").write_text(OTHER + "\n[back](07-small.md#first)\n")
    (tmp_path / "glossary.md").write_text(
        "## Token {#token}\n\nA unit.\n\n## Bit {#bit}\n\nA bit.\n"
    )
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "07-small.md").write_text(GERMAN + "\n[weiter](08-other.md#first)\n")
    return tmp_path


def titles(course: Course) -> list[str]:
    return [outline.title for outline in course.outlines]


def test_a_translated_lesson_replaces_the_original(folder: Path) -> None:
    course = load_course(folder, language="de")
    assert not course.problems
    assert titles(course) == ["Eine kleine Lektion", "A small lesson"]
    assert [lesson.screens[0].title for lesson in course.lessons] == ["Erste Seite", "First screen"]
    found = course.question("pick")
    assert found is not None
    assert found[1].ask == "Welche?"


def test_without_a_language_the_lessons_are_the_originals(folder: Path) -> None:
    assert titles(load_course(folder)) == ["A small lesson", "A small lesson"]


def test_a_new_translation_is_seen_before_it_is_parsed(folder: Path) -> None:
    assert titles(Opening(folder, language="de").course())[0] == "Eine kleine Lektion"


def test_the_cache_keeps_the_languages_apart(folder: Path) -> None:
    for chosen, title in (("de", "Eine kleine Lektion"), ("", "A small lesson")) * 2:
        assert titles(load_course(folder, language=chosen))[0] == title


def test_terms_are_translated_one_by_one(folder: Path) -> None:
    (folder / "de" / "glossary.md").write_text("## Token {#token}\n\nEine Einheit.\n")
    glossary = load_course(folder, language="de").glossary
    assert {term: glossary[term].text for term in glossary} == {
        "bit": "A bit.",
        "token": "Eine Einheit.",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("id: pick", "id: peck"), "pick (version 1, single) is missing"),
        (
            lambda text: text.replace("{#first}", "{#erste}"),
            "first is missing; erste is not in the original",
        ),
        (lambda text: text.replace("version: 2", "version: 1"), "The version of this translation"),
        (lambda text: text.replace("number: 7", "number: 9"), "The number of this translation"),
        (lambda text: text.replace("id: sure", "id: sicher"), "The labs of this translation"),
    ],
    ids=["question", "screen", "version", "number", "lab"],
)
def test_a_translation_with_other_parts_is_not_used(
    folder: Path, change: Change, words: str
) -> None:
    file = folder / "de" / "07-small.md"
    file.write_text(change(file.read_text()))
    course = load_course(folder, language="de")
    assert titles(course)[0] == "A small lesson"
    assert [problem.file for problem in course.problems] == ["de/07-small.md"]
    assert words in course.problems[0].problem
    assert words in "\n".join(map(str, look_over([file]).findings))


def test_a_broken_translation_is_reported_and_the_original_shown(folder: Path) -> None:
    (folder / "de" / "07-small.md").write_bytes(b"\xff\xfe\x00")
    course = load_course(folder, language="de")
    assert titles(course)[0] == "A small lesson"
    assert [problem.file for problem in course.problems] == ["de/07-small.md"]


@pytest.mark.parametrize("code", ["fr", "..", "de/../de", "DE", "\x1b[2J"])
def test_a_language_without_lessons_is_refused(folder: Path, code: str) -> None:
    with pytest.raises(LessonError, match="has no lessons in the language") as raised:
        load_course(folder, language=code)
    assert "Its translations: de." in raised.value.next_step
    assert "\x1b" not in str(raised.value)


def test_the_linter_checks_translations_with_the_course(folder: Path) -> None:
    report = look_over([folder])
    assert [sound.path.relative_to(folder).as_posix() for sound in report.lessons] == [
        "07-small.md",
        "08-other.md",
        "de/07-small.md",
    ]
    alone = look_over([folder / "de" / "07-small.md"])
    assert [finding for finding in alone.findings if finding.level == "error"] == []


def test_english_is_the_language_of_the_originals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(language.VARIABLE, "en")
    assert language.preferred() == ""
    monkeypatch.setenv(language.VARIABLE, "de")
    assert language.preferred() == "de"
