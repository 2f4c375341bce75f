"""All colors of the app.

Color shows three things, and each of them is also shown by a symbol, a number or the font weight:
`ACT` marks where the learner can act, `LIKELY` (5 steps) shows how probable something is, and
`RIGHT` and `NOT_YET` show whether an answer was correct. The values are theme variables for content
styles (`"$accent"`) and `.tcss` files.

There is a palette for each kind of terminal: `MANY_COLORS`, `COLORS_256` and `SIXTEEN_COLORS`.
The terminal rounds every color to the nearest one that it has, so the smaller palettes consist of
colors that stay apart after rounding. If `NO_COLOR` is set,
`tutor.app.terminal.line_filters.Colorless` removes the colors from every line that is drawn,
because Textual would still send grays.
"""

from __future__ import annotations

from textual.theme import Theme

ACT = "$accent"
MUTED = "$muted"
CODE = "$code"
RULE = "$rule"
RIGHT = "$success"
NOT_YET = "$error"
SELECTED = "on $selected"
"""The background of the selected row of a list or table."""
KEY = f"bold {ACT}"
"""The style of a key's name, on the key line and in sentences."""
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


def _many(
    name: str,
    *,
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
    """Return a dark theme of these colors, for a terminal with at least 256 colors."""
    variables = {
        "muted": muted,
        "rule": rule,
        "selected": selected,
        "code": code,
        "heading": heading,
        **{f"likely-{step}": color for step, color in enumerate(likely, start=1)},
        # These variables are used by Textual's own widgets.
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
        dark=True,
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

_CURSOR_COLORS = ["block-cursor-background", "block-cursor-foreground"]
_DEFAULT_COLORS = [
    "ansi-background",
    "ansi-foreground",
    "muted",
    "link-color",
    "selected",
    "heading",
]

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


THEMES = (MANY_COLORS, COLORS_256, SIXTEEN_COLORS)


def theme_for(color_system: str | None, no_color: bool) -> str:
    """Return the name of the theme for a `rich.console.Console.color_system`."""
    many = {"truecolor": MANY_COLORS, "256": COLORS_256}
    return (SIXTEEN_COLORS if no_color else many.get(color_system or "", SIXTEEN_COLORS)).name
