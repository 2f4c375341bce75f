"""Test the linter's findings, and that valid lessons have none."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.course.lesson_text import LAB, SINGLE, SMALL, line_of, lint
from tutor.authoring.layout import height
from tutor.authoring.lint import Finding
from tutor.course.reading.markup import markdown
from tutor.text import cells, wrapped


def findings(folder: Path, text: str) -> list[Finding]:
    file = folder / "07-small.md"
    file.write_text(text)
    return lint([file])


def test_a_good_lesson(tmp_path: Path) -> None:
    assert findings(tmp_path, SMALL) == []


WARNED = [
    ("Some *text*.", "Words and words. " * 90, "takes", "## First"),
    ("Some *text*.", "Some.\n\n" * 10, "takes", "## First"),
    ("Some *text*.", "```\n" + "─" * 80 + "\n```", "wider than 76", "## First"),
    ("Some *text*.", f"| {'a' * 40} | {'b' * 40} |\n|--|--|\n| c | d |", "wider", "## First"),
    ("Some *text*.", "```qestion\nid: x\n```", "'qestion'", "## First"),
    ("## First screen", "## First screen with quite a long title to it", "title", "## First"),
    ("task: Find a sure one.", "task: " + "Find a sure one. " * 20, "more than 3", "```lab"),
    (LAB[LAB.index("goals:") : LAB.rindex("```")], "", "has no goal", "```lab"),
    ("hint: Not the other.", "hint: So it is.", "contains the same text twice", "```question"),
    ("ask: Which?", "ask: >-\n  " + "Which of them is it? " * 70, "before it", "```question"),
    (LAB, "", "has no lab", "---"),
    (SINGLE, "", "asks no questions", "---"),
    ("  - Lessons can be, too.\n", "", "`learned` has 1 sentence.", "---"),
    ("learned:\n  - Texts can be short.\n  - Lessons can be, too.\n", "", "0 sentences", "---"),
    ("Lessons can be, too.", "Many words. " * 49, "`learned` takes", "---"),
    (
        "\n```question",
        "\n## Questions {#q}\n\n```question",
        "does not belong to a screen",
        "```question",
    ),
]


@pytest.mark.parametrize(("old", "new", "words", "at"), WARNED)
def test_warnings(tmp_path: Path, old: str, new: str, words: str, at: str) -> None:
    assert SMALL.count(old) == 1
    text = SMALL.replace(old, new)
    (finding,) = findings(tmp_path, text)
    assert finding.level == "warning"
    assert words in finding.message
    assert finding.next_step
    assert finding.line == line_of(text, at)


def test_a_goal_that_the_lab_does_not_have(tmp_path: Path) -> None:
    live = """
```lab
id: pieces
kind: live
live: tokens
task: Find a word that costs five tokens.
goals:
  - goal: live
    name: five-token-word
  - goal: live
    name: six-token-word
```
"""
    text = SMALL.replace(LAB, live)
    (finding,) = findings(tmp_path, text)
    assert finding.level == "error"
    assert "'tokens' has no goal 'six-token-word'" in finding.message
    assert "five-token-word" in finding.next_step
    assert finding.line == line_of(text, "```lab")


def test_all_errors_of_a_file_come_in_order(tmp_path: Path) -> None:
    text = SMALL.replace("hint:", "hunt:").replace("number: 7", "number: x")
    found = findings(tmp_path, text)
    assert [finding.level for finding in found] == ["error", "error"]
    assert found[0].line < found[1].line
    assert str(found[1]).startswith(f"{tmp_path}/07-small.md:{line_of(text, 'hunt:')}: error: ")


def test_a_folder_and_ids_across_it(tmp_path: Path) -> None:
    (tmp_path / "07-small.md").write_text(SMALL)
    (tmp_path / "08-again.md").write_text(SMALL)
    (finding,) = lint([tmp_path])
    assert finding.file.endswith("08-again.md")
    assert "another lesson" in finding.message


def test_nothing_there(tmp_path: Path) -> None:
    (missing,) = lint([tmp_path / "nowhere.md"])
    assert missing.level == "error"
    (empty,) = lint([tmp_path])
    assert empty.level == "warning"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two", 1),
        ("one two three", 2),
        ("aaaa bbbb cccc dddd", 2),
        ("a" * 25, 3),
        ("漢字漢字漢字", 2),
        ("- aaaa bbbb\n- cc", 3),
        ("para\n\npara", 3),
        ("```\na\nb\n```\n\npara", 4),
        ("| a | b |\n|---|---|\n| c | d |", 2),
        ("> aaaa bbbb", 2),
        ("a *b* `c`\nd", 1),
        ("one  \ntwo", 2),
        ("---", 1),
        ("", 0),
    ],
)
def test_height_at_ten_columns(text: str, lines: int) -> None:
    assert height(text, markdown(), width=10) == lines


@given(st.text(max_size=200), st.integers(8, 80))
@settings(deadline=None)
def test_no_text_is_too_strange_to_be_measured(text: str, width: int) -> None:
    assert height(text, markdown(), width) >= 0
    assert wrapped(text, width) >= (cells(text) - text.count(" ")) / width - len(text)


@given(st.lists(st.text("abc", min_size=1, max_size=8), min_size=1), st.integers(8, 40))
def test_wrapping_is_as_tight_as_can_be(words: list[str], width: int) -> None:
    """Compare greedy wrapping with the standard library's."""
    text = " ".join(words)
    assert wrapped(text, width) == len(textwrap.wrap(text, width))


# --- lessons as parts of a course -----------------------------------------------------------------


def with_head(**fields: str) -> str:
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return SMALL.replace("summary: Just enough.\n", f"summary: Just enough.\n{head}")


def test_links_to_files_that_are_not_linted_are_checked(tmp_path: Path) -> None:
    (tmp_path / "07-small.md").write_text(SMALL.replace("Some *text*.", "[x](08-other.md#second)."))
    other = SMALL.replace("id: small", "id: other").replace("number: 7", "number: 8")
    other = other.replace("{#first}", "{#second}").replace("id: sure", "id: sure-other")
    (tmp_path / "08-other.md").write_text(other.replace("id: pick", "id: pick-other"))
    assert lint([tmp_path / "07-small.md"]) == lint([tmp_path]) == []
    (tmp_path / "08-other.md").unlink()
    (finding,) = lint([tmp_path / "07-small.md"])
    assert "does not lead to a lesson" in finding.message
    assert finding.file == f"{tmp_path}/07-small.md"


def test_needed_lessons_and_linked_terms_must_exist(tmp_path: Path) -> None:
    text = with_head(needs="[nothing]").replace("Some *text*.", "[x](glossary.md#x).")
    (tmp_path / "07-small.md").write_text(text)
    needed, linked = lint([tmp_path])
    assert "nothing" in needed.message
    assert needed.line == line_of(text, "needs:")
    assert "does not lead to a term" in linked.message
    assert linked.line == line_of(text, "[x](")
    (tmp_path / "glossary.md").write_text("## X {#x}\n\nThe unknown.\n")
    assert [each.message for each in lint([tmp_path])] == [needed.message]


@pytest.mark.parametrize("name", ["glossary.md", "facts.yaml"])
def test_files_beside_the_lessons_are_checked_too(tmp_path: Path, name: str) -> None:
    (tmp_path / "07-small.md").write_text(SMALL)
    (tmp_path / name).write_bytes(b"\xff")
    (finding,) = lint([tmp_path])
    assert finding.level == "error"
    assert finding.file == f"{tmp_path}/{name}"


QUOTED = """
```numbers
- says: 77.3 %
  prompt: The capital of France is
  token: ␣Paris
  value: probability
```
"""


def test_a_quoted_number_must_be_in_the_text(tmp_path: Path) -> None:
    text = SMALL.replace("Some *text*.", f"Some *text*.\n{QUOTED}")
    (finding,) = findings(tmp_path, text)
    assert finding.level == "error"
    assert "does not contain '77.3 %'" in finding.message
    assert finding.line == line_of(text, "- says:")


@pytest.mark.parametrize(
    "where", ["Some *text*.", "hint: Not the other.", "task: Find a sure one."]
)
def test_the_text_of_a_screen_includes_its_lab_and_questions(tmp_path: Path, where: str) -> None:
    text = SMALL.replace(where, f"{where} It has **77.3 %**").replace("```lab", f"{QUOTED}\n```lab")
    assert findings(tmp_path, text) == []
