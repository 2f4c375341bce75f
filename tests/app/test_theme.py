"""Test that colors differ in every terminal, and are removed on request."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
import rich.color
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tutor.app import theme
from tutor.app.terminal.line_filters import Colorless

if TYPE_CHECKING:
    from tutor.settings.schema import ThemeName

NAMES = ("success", "error", "accent", *(name.removeprefix("$") for name in theme.LIKELY))
SURFACES = ("background", "panel", "selected")
TEXT = ("foreground", "muted", "code", *NAMES)
SYSTEMS = {
    "truecolor": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "standard": ColorSystem.STANDARD,
}


WANTED: tuple[ThemeName, ...] = ("dark", "light", "contrast", "terminal")
BARS = ("accent", "success", "error", *(name.removeprefix("$") for name in theme.LIKELY))


def drawn(
    system: str, names: tuple[str, ...], wanted: ThemeName = "dark"
) -> dict[str, rich.color.Color]:
    """Return the colors as a terminal of this color system shows them."""
    themes = {each.name: each for each in theme.THEMES}
    chosen = themes[theme.theme_for(system, no_color=False, wanted=wanted)]
    variables = {**chosen.to_color_system().generate(), **chosen.variables}
    return {
        each: Color.parse(variables[each]).rich_color.downgrade(SYSTEMS[system]) for each in names
    }


def same(system: str, names: tuple[str, ...], wanted: ThemeName) -> list[tuple[str, str]]:
    codes = {name: color.get_ansi_codes() for name, color in drawn(system, names, wanted).items()}
    return [pair for pair in combinations(names, 2) if codes[pair[0]] == codes[pair[1]]]


def luminance(color: rich.color.Color) -> float:
    """Return the relative luminance (WCAG 2.1) of a color."""
    parts = [value / 255 for value in color.get_truecolor()]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def too_faint(system: str, wanted: ThemeName, names: tuple[str, ...], least: float) -> list[str]:
    """Return the pairs of a color and a surface whose contrast is below `least`."""
    colors = {
        name: luminance(color) for name, color in drawn(system, names + SURFACES, wanted).items()
    }
    found = []
    for name in names:
        for surface in SURFACES:
            darker, lighter = sorted((colors[name], colors[surface]))
            if (lighter + 0.05) / (darker + 0.05) < least:
                found.append(f"{name} on {surface}")
    return found


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("system", SYSTEMS)
def test_no_two_meanings_have_the_same_color(system: str, wanted: ThemeName) -> None:
    assert same(system, NAMES, wanted) == []


@pytest.mark.parametrize("wanted", ["dark", "light", "contrast"])
@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_surfaces_and_rules_differ(system: str, wanted: ThemeName) -> None:
    assert same(system, (*SURFACES, "rule", "muted", "foreground"), wanted) == []


@pytest.mark.parametrize(("wanted", "least"), [("dark", 4.5), ("light", 4.5), ("contrast", 7.0)])
@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_text_is_readable_on_every_surface(system: str, wanted: ThemeName, least: float) -> None:
    assert too_faint(system, wanted, (*TEXT, "heading"), least) == []


@pytest.mark.parametrize("wanted", ["dark", "light", "contrast"])
@pytest.mark.parametrize("system", ["truecolor", "256"])
def test_bars_stand_out_from_every_surface(system: str, wanted: ThemeName) -> None:
    assert too_faint(system, wanted, BARS, 3.0) == []


def test_the_choice_and_the_background_decide_the_theme() -> None:
    def chosen(wanted: ThemeName, system: str = "truecolor", *, light: bool = False) -> str:
        return theme.theme_for(system, no_color=False, wanted=wanted, light=light)

    assert chosen("auto") == theme.MANY_COLORS.name
    assert chosen("auto", light=True) == theme.LIGHT.name
    assert chosen("auto", "standard", light=True) == theme.SIXTEEN_LIGHT.name
    assert chosen("dark", light=True) == theme.MANY_COLORS.name
    assert chosen("light", "256") == theme.LIGHT_256.name
    assert chosen("contrast", light=True) == theme.CONTRAST.name
    assert chosen("terminal") == theme.SIXTEEN_COLORS.name
    assert theme.theme_for("truecolor", no_color=True, wanted="light") == "tutor-16-light"


def test_likelihood_has_five_steps_in_order() -> None:
    steps = [theme.likely(p) for p in (0.0, 0.005, 0.01, 0.05, 0.2, 0.6, 1.0)]
    assert steps == sorted(steps)
    assert set(steps) == set(theme.LIKELY)


def test_colorless_keeps_weight_and_drops_color() -> None:
    style = Style.parse("bold underline reverse red on blue")
    [segment] = Colorless().apply([Segment("x", style)], Color.parse("black"))
    assert segment.style == Style(bold=True, underline=True, reverse=True)
