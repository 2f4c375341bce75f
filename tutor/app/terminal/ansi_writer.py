"""Writes cells for a terminal, and of their colors only what is not set already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.console import COLOR_SYSTEMS
from rich.style import Style
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.color import ColorSystem

_BY_DEFAULT = {"foreground": "39", "background": "49"}


@dataclass(frozen=True)
class _Attributes:
    """The codes of a style: weight and the like, foreground, background."""

    weight: str = ""
    foreground: str = _BY_DEFAULT["foreground"]
    background: str = _BY_DEFAULT["background"]


_PLAIN = _Attributes()


class AnsiWriter:
    """Begins and finishes with nothing set, whatever a terminal has set otherwise."""

    def __init__(self, color_system: str | None) -> None:
        """`color_system` as `rich.console.Console.color_system` names it."""
        self._colors = COLOR_SYSTEMS.get(color_system or "truecolor", COLOR_SYSTEMS["truecolor"])
        self._written: list[str] = []
        self._set = _PLAIN

    def move_to(self, x: int, y: int) -> None:
        self._written.append(f"\x1b[{y + 1};{x + 1}H")

    def write(self, text: str, style: Style | None) -> None:
        wanted = _PLAIN if style is None else _attributes_of(style, self._colors)
        self._written += (self._change_to(wanted), text)

    def finish(self) -> str:
        """All that was written."""
        self._written.append("" if self._set == _PLAIN else "\x1b[0m")
        self._set = _PLAIN
        return "".join(self._written)

    def _change_to(self, wanted: _Attributes) -> str:
        before, self._set = self._set, wanted
        if wanted.weight != before.weight:  # one of them cannot be taken away alone
            before = _PLAIN
            codes = ["0", wanted.weight] if wanted.weight else ["0"]
        else:
            codes = []
        if wanted.foreground != before.foreground:
            codes.append(wanted.foreground)
        if wanted.background != before.background:
            codes.append(wanted.background)
        return f"\x1b[{';'.join(codes)}m" if codes else ""


@lru_cache(maxsize=1024)
def _attributes_of(style: Style, colors: ColorSystem) -> _Attributes:
    weight = Strip.render_ansi(style.without_color, colors)
    foreground = Strip.render_ansi(Style(color=style.color), colors)
    background = Strip.render_ansi(Style(bgcolor=style.bgcolor), colors)
    return _Attributes(weight, foreground or _PLAIN.foreground, background or _PLAIN.background)
