"""All colors of the app.

Color shows three things, and each of them is also shown by a symbol, a number or the font weight:
`ACT` marks where the learner can act, `LIKELY` (5 steps) shows how probable something is, and
`RIGHT` and `NOT_YET` show whether an answer was correct. The values are theme variables for content
styles (`"$accent"`) and `.tcss` files.

Terminals with 16 colors have a separate theme that uses only those 16, so that no two of the app's
colors are rounded to the same one. If `NO_COLOR` is set,
`tutor.app.terminal.line_filters.Colorless` removes the colors from every line that is drawn,
because Textual would still send grays.
"""

from __future__ import annotations

from textual.theme import Theme

ACT = "$accent"
MUTED = "$muted"
CODE = "$code"
RIGHT = "$success"
NOT_YET = "$error"
LIKELY = ("$likely-1", "$likely-2", "$likely-3", "$likely-4", "$likely-5")
"""The colors of probabilities, from nearly impossible to nearly certain."""

LIKELY_BOUNDS = (0.01, 0.05, 0.2, 0.6)
"""The probabilities that separate the steps of `LIKELY`."""


def likely(probability: float) -> str:
    """Return the content style for a probability (0 to 1)."""
    return LIKELY[sum(probability >= bound for bound in LIKELY_BOUNDS)]


_SCROLLBAR_BACKGROUNDS = [f"scrollbar-background{state}" for state in ("", "-hover", "-active")]
_HEADING_COLORS = [f"markdown-h{level}-color" for level in (1, 2, 3)]
_BOLD_HEADINGS = {f"markdown-h{level}-text-style": "bold" for level in (1, 2, 3)}

_MANY = {
    "muted": "#8b95a3",
    "rule": "#3d4753",
    "likely-1": "#6f7b8a",
    "likely-2": "#5b8db8",
    "likely-3": "#4fb0d0",
    "likely-4": "#7fd8d8",
    "likely-5": "#d7f5ec",
    "code": "#a9c7e8",
    # These variables are used by Textual's own widgets.
    "block-cursor-background": "#2b3440",
    "input-cursor-text-style": "reverse",
    "scrollbar-active": "#6f7b8a",
    **dict.fromkeys(("scrollbar", "scrollbar-hover"), "#4a5563"),
    **dict.fromkeys(_SCROLLBAR_BACKGROUNDS, "#1b2026"),
    **dict.fromkeys(("block-cursor-foreground", *_HEADING_COLORS, "link-color"), "#e6e9ee"),
    **_BOLD_HEADINGS,
}

MANY_COLORS = Theme(
    name="tutor",
    primary="#e8b04b",
    accent="#e8b04b",
    success="#8ccf6e",
    error="#ef8fa0",
    warning="#ef8fa0",
    foreground="#d5dae1",
    background="#14181d",
    surface="#14181d",
    panel="#1b2026",
    dark=True,
    variables=_MANY,
)

_CURSOR_COLORS = ["block-cursor-background", "block-cursor-foreground"]
_DEFAULT_COLORS = ["ansi-background", "ansi-foreground", "muted", "link-color"]

_SIXTEEN = {
    "likely-1": "ansi_bright_black",
    "likely-2": "ansi_blue",
    "likely-3": "ansi_bright_blue",
    "likely-4": "ansi_cyan",
    "likely-5": "ansi_bright_cyan",
    "code": "ansi_cyan",
    **dict.fromkeys(
        ("rule", "scrollbar", "scrollbar-hover", "scrollbar-active"), "ansi_bright_black"
    ),
    **dict.fromkeys(_DEFAULT_COLORS + _CURSOR_COLORS, "ansi_default"),
    **dict.fromkeys(_SCROLLBAR_BACKGROUNDS + _HEADING_COLORS, "ansi_default"),
    **_BOLD_HEADINGS,
}

SIXTEEN_COLORS = Theme(
    name="tutor-16",
    primary="ansi_yellow",
    accent="ansi_yellow",
    success="ansi_green",
    error="ansi_bright_red",
    warning="ansi_bright_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    ansi=True,
    variables=_SIXTEEN,
)


def theme_for(color_system: str | None, no_color: bool) -> str:
    """Return the name of the theme for a `rich.console.Console.color_system`."""
    many = color_system in ("256", "truecolor") and not no_color
    return MANY_COLORS.name if many else SIXTEEN_COLORS.name
