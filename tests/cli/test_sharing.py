"""Test `tutor step --html` and `tutor open`."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cli.command_line import Tutor

OLD = Path(__file__).parents[1] / "sharing" / "data" / "version-1.json"


class Links(HTMLParser):
    """The text of the links on a page: its tokens."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tokens: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "a"
        self.tokens += [""] * self._inside

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.tokens[-1] += data


def test_html_has_the_text_and_a_distribution_at_each_position(
    tutor: Tutor, tiny_model: str, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    file.write_text("an older page")
    text = "a<script>alert(1)</script>&amp;"
    outcome = tutor(
        *("step", text, "--steps", "4", "--top", "3", "--greedy"),
        *("--html", str(file), "--model", tiny_model),
    )
    assert outcome.status == 0, outcome.err
    assert f"Saved as {file}." in outcome.err
    assert "The whole text" in outcome.out
    page = file.read_text(encoding="utf-8")
    tokens = Links(page).tokens
    assert "".join(tokens).startswith(text)
    assert "<script" not in page
    assert page.count("<table>") == len(tokens)  # after each token, one is predicted
    assert page.count("drawn by the model") >= 1
    assert "greedy" in page


def test_json_and_html_can_be_combined(tutor: Tutor, tiny_model: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    options = ("step", "abc", "--top", "2", "--model", tiny_model, "--json")
    with_page = tutor(*options, "--html", str(file))
    assert with_page.status == 0
    assert with_page.out == tutor(*options).out
    assert file.exists()


def test_a_page_that_cannot_be_written_is_a_plain_error(
    tutor: Tutor, tiny_model: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    bad = tmp_path / "file" / "page.html"
    outcome = tutor("step", "abc", "--html", str(bad), "--model", tiny_model)
    assert outcome.status == 1
    assert "The file was not saved" in outcome.err
    assert "a b c" in outcome.out


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "cannot be read"),
        (b"\x1b[31m", "is damaged"),
        (b'{"format": "tutor-text", "version": 99}', "newer version"),
        (OLD.read_bytes()[:-30], "is damaged"),
    ],
)
def test_open_reports_a_damaged_file_before_the_app_opens(
    tutor: Tutor, tmp_path: Path, data: bytes | None, said: str
) -> None:
    file = tmp_path / "it.json"
    if data is not None:
        file.write_bytes(data)
    outcome = tutor("open", str(file))
    assert outcome.status == 1
    assert outcome.err.startswith("tutor: This file cannot be opened: ")
    assert said in outcome.err
    assert "\x1b" not in outcome.err
    assert not outcome.out
