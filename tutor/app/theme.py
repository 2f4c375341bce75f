"""All colors of the app.

Colors show three things: `ACT` marks what the learner can act on, the five colors of `LIKELY` show
probabilities, and `RIGHT` and `NOT_YET` show whether an answer was correct. Everything that a color
shows is also shown by a symbol, a number or the font weight. The constants are names of theme
variables, for content styles (`"$accent"`) and `.tcss` files.

The learner chooses dark, light or high-contrast colors, or the terminal's own 16 colors. For each
choice, there is a palette for every kind of terminal. A terminal with few colors replaces each
color with the nearest color that it has. The colors of the smaller palettes remain distinct after
this replacement. If `NO_COLOR` is set, `tutor.app.terminal.line_filters.Colorless` removes the
colors from every line, because Textual would still send shades of gray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.theme import Theme

if TYPE_CHECKING:
    from tutor.settings.schema import ThemeName

ACT = "$accent"
MUTED = "$muted"
CODE = "$code"
RULE = "$rule"
RIGHT = "$success"
NOT_YET = "$error"
SELECTED = "on $selected"
"""The background of the selected row in a list or table."""
KEY = f"bold {ACT}"
"""The style of key names, on the key line and in sentences."""
LIKELY = ("$likely-1", "$likely-2", "$likely-3", "$likely-4", "$likely-5")
"""The colors for probabilities, from very low to very high."""

LIKELY_BOUNDS = (0.01, 0.05, 0.2, 0.6)
"""The probabilities at which one color of `LIKELY` changes to the next."""


def likely(probability: float) -> str:
    """Return the content style that shows a probability (0 to 1)."""
    return LIKELY[sum(probability >= bound for bound in LIKELY_BOUNDS)]


_SCROLLBAR_BACKGROUNDS = [f"scrollbar-background{state}" for state in ("", "-hover", "-active")]
_HEADING_COLORS = [f"markdown-h{level}-color" for level in (1, 2, 3)]
_BOLD_HEADINGS = {f"markdown-h{level}-text-style": "bold" for level in (1, 2, 3)}


def _many(
    name: str,
    *,
    dark: bool = True,
    background: str,
    panel: str,
    selected: str,
    rule: str,
    foreground: str,
    heading: str,
    muted: str,
    code: str,
    accent: str,
    success: str,
    error: str,
    likely: tuple[str, str, str, str, str],
) -> Theme:
    """Create a theme with these colors, for a terminal with at least 256 colors."""
    variables = {
        "muted": muted,
        "rule": rule,
        "selected": selected,
        "code": code,
        "heading": heading,
        **{f"likely-{step}": color for step, color in enumerate(likely, start=1)},
        # Textual's own widgets use these variables.
        "block-cursor-background": selected,
        "input-cursor-text-style": "reverse",
        "scrollbar-active": likely[0],
        **dict.fromkeys(("scrollbar", "scrollbar-hover"), rule),
        **dict.fromkeys(_SCROLLBAR_BACKGROUNDS, panel),
        **dict.fromkeys(("block-cursor-foreground", *_HEADING_COLORS, "link-color"), heading),
        **_BOLD_HEADINGS,
    }
    return Theme(
        name=name,
        primary=accent,
        accent=accent,
        success=success,
        error=error,
        warning=error,
        foreground=foreground,
        background=background,
        surface=background,
        panel=panel,
        dark=dark,
        variables=variables,
    )


MANY_COLORS = _many(
    "tutor",
    background="#14181d",
    panel="#1d232b",
    selected="#28323f",
    rule="#4a5664",
    foreground="#d5dae1",
    heading="#e6e9ee",
    muted="#9aa4b1",
    code="#a9c7e8",
    accent="#e8b04b",
    success="#8ccf6e",
    error="#ef8fa0",
    likely=("#929dac", "#6ca3de", "#4fb8d4", "#7fd8d8", "#d7f5ec"),
)

COLORS_256 = _many(
    "tutor-256",
    background="#121212",
    panel="#262626",
    selected="#3a3a3a",
    rule="#585858",
    foreground="#dadada",
    heading="#eeeeee",
    muted="#b2b2b2",
    code="#afd7ff",
    accent="#ffaf5f",
    success="#87d787",
    error="#ff87af",
    likely=("#b2b2b2", "#87afff", "#5fafd7", "#5fd7d7", "#d7ffff"),
)

LIGHT = _many(
    "tutor-light",
    dark=False,
    background="#fbfaf8",
    panel="#f0eeea",
    selected="#dde7f2",
    rule="#a29d93",
    foreground="#24292f",
    heading="#0f1419",
    muted="#545b64",
    code="#0a4f8c",
    accent="#8a4500",
    success="#146322",
    error="#a81c3c",
    likely=("#5b6470", "#2e65b0", "#00687f", "#005a5a", "#002f3f"),
)

LIGHT_256 = _many(
    "tutor-light-256",
    dark=False,
    background="#ffffff",
    panel="#eeeeee",
    selected="#d7ffff",
    rule="#a8a8a8",
    foreground="#262626",
    heading="#080808",
    muted="#585858",
    code="#005f87",
    accent="#875f00",
    success="#005f00",
    error="#af005f",
    likely=("#585858", "#5f5f87", "#005faf", "#005f5f", "#00005f"),
)

CONTRAST = _many(
    "tutor-contrast",
    background="#000000",
    panel="#1c1c1c",
    selected="#003060",
    rule="#9a9a9a",
    foreground="#ffffff",
    heading="#ffffff",
    muted="#d4d4d4",
    code="#a8d4ff",
    accent="#ffd75f",
    success="#8aff6a",
    error="#ffb0bc",
    likely=("#c8c8c8", "#9cc4ff", "#6fdcff", "#8ffff0", "#f4ffff"),
)

CONTRAST_256 = _many(
    "tutor-contrast-256",
    background="#000000",
    panel="#1c1c1c",
    selected="#00005f",
    rule="#9e9e9e",
    foreground="#ffffff",
    heading="#ffffff",
    muted="#d0d0d0",
    code="#afd7ff",
    accent="#ffd75f",
    success="#87ff5f",
    error="#ffafaf",
    likely=("#c6c6c6", "#87afff", "#5fd7ff", "#87ffff", "#ffffff"),
)

_CURSOR_COLORS = ["block-cursor-background", "block-cursor-foreground"]
_DEFAULT_COLORS = [
    "ansi-background",
    "ansi-foreground",
    "muted",
    "link-color",
    "selected",
    "heading",
]


def _sixteen(
    name: str, *, dark: bool, accent: str, error: str, code: str, likely: tuple[str, ...]
) -> Theme:
    """Create a theme with the terminal's own colors, on the terminal's own background."""
    variables = {
        **{f"likely-{step}": color for step, color in enumerate(likely, start=1)},
        "code": code,
        **dict.fromkeys(
            ("rule", "scrollbar", "scrollbar-hover", "scrollbar-active"), "ansi_bright_black"
        ),
        **dict.fromkeys(_DEFAULT_COLORS + _CURSOR_COLORS, "ansi_default"),
        **dict.fromkeys(_SCROLLBAR_BACKGROUNDS + _HEADING_COLORS, "ansi_default"),
        **_BOLD_HEADINGS,
    }
    return Theme(
        name=name,
        primary=accent,
        accent=accent,
        success="ansi_green",
        error=error,
        warning=error,
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        dark=dark,
        ansi=True,
        variables=variables,
    )


_BLUES = ("ansi_blue", "ansi_bright_blue", "ansi_cyan", "ansi_bright_cyan")

SIXTEEN_COLORS = _sixteen(
    "tutor-16",
    dark=True,
    accent="ansi_yellow",
    error="ansi_bright_red",
    code="ansi_cyan",
    likely=("ansi_bright_black", *_BLUES),
)

SIXTEEN_LIGHT = _sixteen(
    "tutor-16-light",
    dark=False,
    accent="ansi_magenta",
    error="ansi_red",
    code="ansi_blue",
    likely=("ansi_bright_black", "ansi_cyan", "ansi_bright_blue", "ansi_blue", "ansi_default"),
)
"""The 16 colors for a light background, on which bright colors would be too faint."""

THEMES = (
    *(MANY_COLORS, COLORS_256),
    *(LIGHT, LIGHT_256),
    *(CONTRAST, CONTRAST_256),
    *(SIXTEEN_COLORS, SIXTEEN_LIGHT),
)


def theme_for(
    color_system: str | None, no_color: bool, wanted: ThemeName = "auto", *, light: bool = False
) -> str:
    """Return the name of the theme for `color_system`, a value of `Console.color_system` in Rich.

    `wanted` is the learner's choice. `light` is true if the terminal is known to have a light
    background.
    """
    light = wanted == "light" or (light and wanted in ("auto", "terminal"))
    sixteen = SIXTEEN_LIGHT if light else SIXTEEN_COLORS
    full, rounded = (
        (CONTRAST, CONTRAST_256)
        if wanted == "contrast"
        else (LIGHT, LIGHT_256)
        if light
        else (MANY_COLORS, COLORS_256)
    )
    many = {"truecolor": full, "256": rounded}
    if no_color or wanted == "terminal":
        return sixteen.name
    return many.get(color_system or "", sixteen).name
