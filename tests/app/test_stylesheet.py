"""Test that parsing each source once gives the same style as Textual's own parsing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.css.stylesheet import Stylesheet

from tests.app.whole_app import keys, sees, whole_app
from tutor.app.stylesheet import ParsedOnce

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "Label { color: $text; }"
"""A source that depends on a variable."""


def styled(text: str, source: str = SOURCE) -> ParsedOnce:
    sheet = ParsedOnce(variables={"text": text})
    sheet.add_source(source, read_from=("here", "SOURCE"))
    return sheet


def test_a_source_is_parsed_once() -> None:
    sheet = styled("red")
    [rule] = sheet.rules
    sheet.reparse()
    assert sheet.rules[0] is rule
    assert styled("red").rules[0] is rule


def test_other_variables_and_other_sources_have_rules_of_their_own() -> None:
    sheet = styled("red")
    red = sheet.css
    assert "#FF0000" in red
    sheet.set_variables({"text": "blue"})
    sheet.reparse()
    assert sheet.css == red.replace("#FF0000", "#0000FF")
    assert styled("red").css == red
    assert "#00FF00" in styled("red", "Label { color: lime; }").css


async def test_each_rule_is_the_same_as_without_sharing(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, " 1 of ")
        await keys(pilot, "a")
        await sees(pilot, "question 1 of")
        assert isinstance(app.stylesheet, ParsedOnce)
        plain = Stylesheet(variables=app.get_css_variables())
        plain.source = app.stylesheet.source.copy()
        plain.parse()
        assert app.stylesheet.css == plain.css
