"""Code and diagrams in running text."""

from __future__ import annotations

from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Literal,
    Name,
    Operator,
)
from textual.content import Content
from textual.highlight import HighlightTheme, highlight
from textual.widgets._markdown import MarkdownFence


class _Calm(HighlightTheme):
    """Told by weight first, so that it is seen without color: what is defined and what gives the
    code its structure is bold, what is said about it is muted and slanted."""

    STYLES = {  # noqa: RUF012 (Textual's own type)
        Comment: "$muted italic",
        Keyword: "bold",
        Keyword.Constant: "$code",
        Operator.Word: "bold",
        Name.Function: "bold $accent",
        Name.Class: "bold $accent",
        Literal.String: "$code",
        Literal.Number: "$code",
    }


class Fence(MarkdownFence):
    """A fenced block in the app's own colors. Only one that names a language is highlighted."""

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        name = language.split()[0] if language.strip() else "text"
        if name == "text":
            return Content(code)
        return highlight(code, language=name, theme=_Calm)
