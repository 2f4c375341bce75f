"""Test that README.md and docs/ match the code: tables of keys, and counts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tools import docs, prose
from tutor.app.key_places import KEY_PLACES
from tutor.app.quiz.answers import LETTERS
from tutor.cli.main import parser
from tutor.labs.kit import registry


@pytest.mark.parametrize("file", docs.FILES, ids=str)
def test_generated_parts_are_up_to_date(file: Path) -> None:
    text = (docs.ROOT / file).read_text(encoding="utf-8")
    assert docs.filled_in(text) == text, "run `make docs`"
    assert "<!-- generated: " in text


def test_the_readme_has_at_most_900_words() -> None:
    text = (docs.ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 900


def test_the_manual_page_is_up_to_date() -> None:
    """Versions of Python wrap the usage of a command differently."""
    page = (docs.ROOT / docs.MANUAL).read_text(encoding="utf-8")
    assert page.split() == docs.manual().split(), "run `make docs`"


def test_the_table_has_every_key_of_the_app() -> None:
    told = {
        row.where: text for row, text in zip(KEY_PLACES, rows(docs.keys_of_the_app()), strict=True)
    }
    lacking = set()
    for of in docs.classes_with_keys():
        places = [row for row in KEY_PLACES if of.__name__ in row.classes.split()]
        assert places, f"{of.__name__} is in no row"
        for row in places:
            has = told[row.where] + told["everywhere"]
            if "`1-9`" in has or "`1` to `9`" in has:
                has += "".join(f"`{digit}`" for digit in range(1, 10))
            keys = {key for binding in docs.bindings(of) for key in docs.told_keys(binding)}
            signs = set(map(docs.sign, keys))
            lacking |= {(of.__name__, sign) for sign in signs if f"`{sign}`" not in has}
    assert lacking == set()


def test_home_and_end_are_only_listed_where_they_work() -> None:
    told = {
        row.where: text for row, text in zip(KEY_PLACES, rows(docs.keys_of_the_app()), strict=True)
    }
    assert "`Home`" not in told["everywhere"]
    assert "`Home` `End` go to the first or last entry" in told["lists"]
    assert "`Home` `End` go to the first or last item" in told["labs"]


def rows(table: str) -> list[str]:
    return table.strip().splitlines()[2:]


@pytest.mark.parametrize("lab", registry.names())
def test_no_key_of_a_lab_hides_the_key_to_leave(lab: str) -> None:
    """The key line shows each action once."""
    view = registry.load_part(lab, "view").VIEW
    assert not {binding.action for binding in docs.bindings(view)} & {"back", "help"}


def test_the_table_has_the_letters_of_choices() -> None:
    (row,) = [row for row in KEY_PLACES if row.where == "question"]
    assert f"`{LETTERS[0]}` to `{LETTERS[-1]}` choose" in row.more


def test_keys_have_the_names_that_are_printed_on_them() -> None:
    keys = ("equals_sign", "slash", "escape", "ctrl+right", "up", "e")
    assert [docs.sign(key) for key in keys] == ["=", "/", "Esc", "Ctrl+→", "↑", "e"]
    with pytest.raises(ValueError, match="full_stop"):
        docs.sign("full_stop")


def test_an_unknown_generated_part_is_an_error() -> None:
    with pytest.raises(KeyError):
        docs.filled_in("<!-- generated: nothing --><!-- end -->")


COMMAND = re.compile(r"^ {4,}(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?tutor(?: (.*))?$", re.MULTILINE)
AFTER_THE_COMMAND = re.compile(r"(?:^| +)(?:#|\||>|&).*")


def commands() -> list[object]:
    """Return the arguments of each `tutor` command in a code block, with its file as the id."""
    return [
        pytest.param(AFTER_THE_COMMAND.sub("", found[1] or ""), id=f"{file}: {found[1]}")
        for file in prose.files(["README.md", "CONTRIBUTING.md", "docs"])
        if file.suffix == ".md"
        for found in COMMAND.finditer((docs.ROOT / file).read_text(encoding="utf-8"))
        if "[" not in (found[1] or "")
    ]


@pytest.mark.parametrize("arguments", commands())
def test_every_command_in_the_docs_can_be_parsed(arguments: str) -> None:
    status: object = 0
    try:
        parser().parse_args(shlex.split(arguments))
    except SystemExit as exited:  # as after --version
        status = exited.code
    assert status == 0
