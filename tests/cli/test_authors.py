"""Test the commands for authors of lessons: new, lint, release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import Tutor
from tutor import paths
from tutor.course.catalogue import load_course


def test_a_new_lesson_lints_clean(tutor: Tutor, tmp_path: Path) -> None:
    folder = ("--course", str(tmp_path))
    assert "01-birds.md" in tutor("new", "lesson", "birds", *folder).out
    assert "02-more-birds.md" in tutor("new", "lesson", "more-birds", *folder).out
    assert [each.id for each in load_course(tmp_path).outlines] == ["birds", "more-birds"]
    outcome = tutor("lint", "--no-model", str(tmp_path))
    assert (outcome.status, outcome.out) == (0, "No problems found.\n")


def test_a_new_lesson_does_not_replace_another(tutor: Tutor, tmp_path: Path) -> None:
    (tmp_path / "30-broken.md").write_text("no lesson")
    tutor("new", "lesson", "birds", "--course", str(tmp_path))
    before = (tmp_path / "31-birds.md").read_bytes()
    outcome = tutor("new", "lesson", "birds", "--course", str(tmp_path))
    assert outcome.status == 2
    assert (tmp_path / "31-birds.md").read_bytes() == before


@pytest.mark.parametrize("wrong", ["Birds", "../birds", "a b", "", "b" * 50])
def test_an_invalid_id_is_refused(tutor: Tutor, tmp_path: Path, wrong: str) -> None:
    assert tutor("new", "lesson", wrong, "--course", str(tmp_path)).status == 2
    assert list(tmp_path.glob("**/*.md")) == []


def test_release(tutor: Tutor, tmp_path: Path) -> None:
    folder = ("--course", str(tmp_path))
    tutor("new", "lesson", "birds", *folder)
    file = tmp_path / "01-birds.md"
    assert "1 lesson, 1 question:" in tutor("release", *folder).out
    file.write_text(file.read_text("utf-8").replace("What decides", "What settles"), "utf-8")
    assert tutor("lint", "--no-model", str(tmp_path)).status == 1
    outcome = tutor("release", *folder)
    assert outcome.status == 1
    assert "--same birds-sure" in outcome.out
    assert tutor("release", *folder, "--same", "birds-sure").status == 0
    assert tutor("lint", "--no-model", str(tmp_path)).status == 0


def test_a_release_records_the_originals_and_not_their_translations(
    tutor: Tutor, tmp_path: Path
) -> None:
    folder = ("--course", str(tmp_path))
    tutor("new", "lesson", "birds", *folder)
    text = (tmp_path / "01-birds.md").read_text("utf-8")
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "01-birds.md").write_text(text.replace("What decides", "Was"), "utf-8")
    assert "1 lesson, 1 question:" in tutor("release", *folder).out
    assert tutor("lint", "--no-model", str(tmp_path)).status == 0


def test_lint_reports_the_checks_that_it_skips(tutor: Tutor, tmp_path: Path) -> None:
    tutor("new", "lesson", "birds", "--course", str(tmp_path))
    outcome = tutor("lint", str(tmp_path))
    assert outcome.status == 0
    assert "warning: Numbers, labs and predictions were not checked" in outcome.out
    assert "tutor model pull" in outcome.out


def test_lint_uses_the_given_model(tutor: Tutor, tmp_path: Path) -> None:
    """Lint with the small model, for which the figures of the default model are not true."""
    tutor("new", "lesson", "birds", "--course", str(tmp_path))
    outcome = tutor("lint", str(tmp_path), "--model", str(paths.bundled_model_folder()))
    assert outcome.status == 1
    assert "The text says '14.3 %', but the value is" in outcome.out
    again = tutor("--model", str(paths.bundled_model_folder()), "lint", str(tmp_path))
    assert again.out == outcome.out
