"""Test that caching parsed sources and matched rules gives the same style as Textual alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.css.stylesheet import Stylesheet

from tests.app.pressing import settle
from tests.app.whole_app import keys, sees, whole_app
from tutor.app.stylesheet import ParsedOnce

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.app.app import TutorApp

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
        assert app.stylesheet.css == plain_stylesheet(app).css


def plain_stylesheet(app: TutorApp) -> Stylesheet:
    """Return a stylesheet with the sources of the app that caches nothing between two updates."""
    plain = Stylesheet(variables=app.get_css_variables())
    plain.source = app.stylesheet.source.copy()
    plain.parse()
    return plain


def rules_of(app: TutorApp) -> dict[tuple[str, str], dict[str, object]]:
    """Return the rules of all widgets on the screen and of their parts, without those that are off.

    Textual drops some of the rules `auto_…: false`, depending on the order in which it sets them.
    """
    nodes = app.screen.walk_children(with_self=True)
    styles = {(repr(each), ""): each.styles.base for each in nodes}
    for node in nodes:
        for name, part in node._component_styles.items():
            styles[repr(node), name] = part.base
    return {
        key: {
            name: value
            for name, value in each.get_rules().items()
            if not name.startswith("auto_") or value
        }
        for key, each in styles.items()
    }


async def test_each_widget_has_the_same_rules_as_without_caching(tmp_path: Path) -> None:
    for folder in ("first", "again"):  # the second app finds what the first one has cached
        app = whole_app(tmp_path / folder)
        async with app.run_test(size=(80, 24)) as pilot:
            for key, seen in (("enter", " 1 of "), ("a", "question 1 of"), ("down", "question 1")):
                await keys(pilot, key)
                await sees(pilot, seen)
                cached = rules_of(app)
                assert len(cached) > 10
                plain_stylesheet(app).update(app)
                assert cached == rules_of(app)


async def test_a_class_and_a_state_of_an_ancestor_change_what_was_found(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Begin")
        source = "Screen.wide Static { margin: 1 3; } Screen:focus-within Static { padding: 1 3; }"
        app.stylesheet.add_source(source, read_from=("here", "CLASS"))
        focused = app.screen.focused
        assert focused is not None
        app.screen.set_focus(None)
        before = updated(app)
        app.screen.add_class("wide")
        assert all("margin" in each for each in updated(app).values())
        app.screen.remove_class("wide")
        assert updated(app) == before
        app.screen.set_focus(focused)
        assert all("padding" in each for each in updated(app).values())
        app.screen.set_focus(None)
        assert updated(app) == before


async def test_another_source_and_another_theme_change_what_was_found(tmp_path: Path) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, " 1 of ")
        app.stylesheet.add_source("Static { color: $code; }", read_from=("one", "CLASS"))
        before = updated(app)
        app.stylesheet.add_source("Static { margin: 1 3; }", read_from=("two", "CLASS"))
        assert all("margin" in each for each in updated(app).values())
        app.theme = "tutor-light"
        await settle(pilot)
        after = updated(app)
        assert after.keys() == before.keys()
        assert all(after[each]["color"] != before[each]["color"] for each in after)


def updated(app: TutorApp) -> dict[tuple[str, str], dict[str, object]]:
    """Update the styles, and return the rules of the widgets that are `Static`."""
    app.stylesheet.update(app)
    return {key: rules for key, rules in rules_of(app).items() if "Static(" in key[0]}
