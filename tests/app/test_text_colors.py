"""Test that lessons, code and empty fields are readable in every theme, as they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from rich.color import Color, ColorType
from textual.app import App
from textual.widgets import Input, TextArea

from tests.app.test_theme import luminance
from tests.later import later
from tutor.app.theme import THEMES
from tutor.app.widgets.prose import Prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.style import Style
    from textual.app import ComposeResult
    from textual.theme import Theme

TEXT = '''\
A sentence with `code`, *emphasis*, a **strong** word, a [link](glossary.md#token), and Press r.

| message | answer |
|---|---|
| a cell | `code` in a cell |

> A quotation.

- an item

```python
# a comment
import re

class Bot(object):
    """Text about it."""

    @property
    def reply(self, text: str) -> bool:
        return not self.rules or text == r"\\bfour" and len(text) > 4.5e3 and True
```

```text
a drawing  ──►  █████
```
'''
DARK = (
    *("000000", "cd0000", "00cd00", "cdcd00", "5c5cff", "cd00cd", "00cdcd", "e5e5e5"),
    *("7f7f7f", "ff0000", "00ff00", "ffff00", "5c5cff", "ff00ff", "00ffff", "ffffff"),
)
"""The 16 colors of xterm, with the blue that terminals use on a dark background today."""
LIGHT = (
    *("2e3436", "cc0000", "4e9a06", "c4a000", "3465a4", "75507b", "06989a", "d3d7cf"),
    *("555753", "ef2929", "8ae234", "fce94f", "729fcf", "ad7fa8", "34e2e2", "eeeeec"),
)
"""The 16 colors of GNOME's terminal."""
LEAST = 4.5


class Page(App[None]):
    """A page with a text, an empty line field and an empty text field."""

    CSS_PATH: ClassVar[str] = "../../tutor/app/main.tcss"

    def __init__(self, name: str) -> None:
        super().__init__()
        for each in THEMES:
            self.register_theme(each)
        self.theme = name

    def compose(self) -> ComposeResult:
        yield Prose(TEXT)
        yield Input(placeholder="type here")
        yield TextArea(placeholder="write here")


def on_screen(app: App[None]) -> Iterator[tuple[str, Style]]:
    """Yield each drawn part of the screen that contains letters or digits.

    How faint dim text is, the terminal decides. Only placeholders in the 16 colors are dim.
    """
    for strip in app.screen._compositor.render_strips():
        for text, style, _control in strip:
            if style is not None and not style.dim and any(map(str.isalnum, text)):
                yield text.strip(), style


def contrast(style: Style, *, dark: bool) -> float:
    """Return the contrast ratio (WCAG 2.1) of a text and its background."""
    front = luminance(_shown(style.color, "ffffff" if dark else "000000", dark=dark))
    back = luminance(_shown(style.bgcolor, "000000" if dark else "ffffff", dark=dark))
    darker, lighter = sorted((front, back))
    return (lighter + 0.05) / (darker + 0.05)


def _shown(color: Color | None, default: str, *, dark: bool) -> Color:
    if color is None or color.is_default:
        return Color.parse(f"#{default}")
    if color.type is ColorType.STANDARD and color.number is not None:
        return Color.parse(f"#{(DARK if dark else LIGHT)[color.number]}")
    return color


@pytest.mark.parametrize("colors", [*THEMES[:2], *later(THEMES[2:])], ids=lambda each: each.name)
async def test_everything_in_a_lesson_is_readable(colors: Theme) -> None:
    app = Page(colors.name)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        drawn = list(on_screen(app))
        assert {"# a comment", "class", "Bot", "return", "4.5e3", "True"} <= {t for t, _ in drawn}
        faint = {
            text: round(ratio, 2)
            for text, style in drawn
            if (ratio := contrast(style, dark=colors.dark)) < LEAST
        }
        assert faint == {}
