"""Tests that colors differ in every terminal, and are removed on request."""

from __future__ import annotations

from itertools import combinations

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tutor.app import theme
from tutor.app.terminal.line_filters import Colorless

NAMES = ("success", "error", "accent", *(name.removeprefix("$") for name in theme.LIKELY))


@pytest.mark.parametrize(
    ("system", "name"),
    [
        (ColorSystem.TRUECOLOR, "truecolor"),
        (ColorSystem.EIGHT_BIT, "256"),
        (ColorSystem.STANDARD, "standard"),
    ],
)
def test_no_two_meanings_have_the_same_color(system: ColorSystem, name: str) -> None:
    themes = {each.name: each for each in (theme.MANY_COLORS, theme.SIXTEEN_COLORS)}
    chosen = themes[theme.theme_for(name, no_color=False)]
    variables = {**chosen.to_color_system().generate(), **chosen.variables}
    drawn = {
        each: Color.parse(variables[each]).rich_color.downgrade(system).get_ansi_codes()
        for each in NAMES
    }
    same = [pair for pair in combinations(NAMES, 2) if drawn[pair[0]] == drawn[pair[1]]]
    assert same == []


def test_likelihood_has_five_steps_in_order() -> None:
    steps = [theme.likely(p) for p in (0.0, 0.005, 0.01, 0.05, 0.2, 0.6, 1.0)]
    assert steps == sorted(steps)
    assert set(steps) == set(theme.LIKELY)


def test_colorless_keeps_weight_and_drops_color() -> None:
    style = Style.parse("bold underline reverse red on blue")
    [segment] = Colorless().apply([Segment("x", style)], Color.parse("black"))
    assert segment.style == Style(bold=True, underline=True, reverse=True)
