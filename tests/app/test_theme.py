"""Tests that colors differ in every terminal, and are removed on request."""

from __future__ import annotations

from itertools import combinations

import pytest
import rich.color
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tutor.app import theme
from tutor.app.terminal.line_filters import Colorless

NAMES = ("success", "error", "accent", *(name.removeprefix("$") for name in theme.LIKELY))
SURFACES = ("background", "panel", "selected")
TEXT = ("foreground", "muted", "code", *NAMES)
SYSTEMS = {
    "truecolor": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "standard": ColorSystem.STANDARD,
}


def drawn(system: str, names: tuple[str, ...]) -> dict[str, rich.color.Color]:
    """Return the colors as a terminal of this color system shows them."""
    themes = {each.name: each for each in theme.THEMES}
    chosen = themes[theme.theme_for(system, no_color=False)]
    variables = {**chosen.to_color_system().generate(), **chosen.variables}
    return {
        each: Color.parse(variables[each]).rich_color.downgrade(SYSTEMS[system]) for each in names
    }


def same(system: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
    codes = {name: color.get_ansi_codes() for name, color in drawn(system, names).items()}
    return [pair for pair in combinations(names, 2) if codes[pair[0]] == codes[pair[1]]]


def luminance(color: rich.color.Color) -> float:
    """Return the relative luminance (WCAG 2.1) of a color."""
    parts = [value / 255 for value in color.get_truecolor()]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_two_meanings_have_the_same_color(system: str) -> None:
    assert same(system, NAMES) == []


@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_surfaces_and_rules_differ(system: str) -> None:
    assert same(system, (*SURFACES, "rule", "muted", "foreground")) == []


@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_text_is_readable_on_every_surface(system: str) -> None:
    colors = {name: luminance(color) for name, color in drawn(system, TEXT + SURFACES).items()}
    faint = [
        (text, surface)
        for text in TEXT
        for surface in SURFACES
        if (colors[text] + 0.05) / (colors[surface] + 0.05) < 4.5
    ]
    assert faint == []


def test_likelihood_has_five_steps_in_order() -> None:
    steps = [theme.likely(p) for p in (0.0, 0.005, 0.01, 0.05, 0.2, 0.6, 1.0)]
    assert steps == sorted(steps)
    assert set(steps) == set(theme.LIKELY)


def test_colorless_keeps_weight_and_drops_color() -> None:
    style = Style.parse("bold underline reverse red on blue")
    [segment] = Colorless().apply([Segment("x", style)], Color.parse("black"))
    assert segment.style == Style(bold=True, underline=True, reverse=True)
