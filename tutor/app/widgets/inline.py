"""Render inline Markdown, such as a sentence of a question."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from textual.content import Content, Span

from tutor.app.theme import CODE, KEY
from tutor.text import safe

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@cache
def parser() -> MarkdownIt:
    """Return a parser for CommonMark with tables that treats HTML and bare URLs as plain text.

    The parser also marks key names (see `mark_keys`).
    """
    # These modules take 1.5 MB, and a stepper without a task does not need them.
    from markdown_it import MarkdownIt

    from tutor.app.widgets.key_text import mark_keys

    found = MarkdownIt("commonmark", {"html": False}).enable("table")
    found.core.ruler.push("keys", mark_keys)
    return found


_STYLES = {"strong_open": "bold", "em_open": "italic", "s_open": KEY}


def inline(markdown: str) -> Content:
    """Render inline Markdown, with styles for emphasis, code and key names.

    A link is rendered as its text, and an image as its description. HTML and line breaks are not
    changed.
    """
    (line,) = parser().parseInline(safe(markdown))
    parts: list[str] = []
    spans: list[Span] = []
    begun: list[tuple[int, str]] = []
    length = 0
    for token in line.children or ():
        if token.nesting > 0:
            begun.append((length, _STYLES.get(token.type, "")))
        elif token.nesting < 0:
            start, style = begun.pop()
            if style:
                spans.append(Span(start, length, style))
        text = _text(token)
        if token.type == "code_inline":
            spans.append(Span(length, length + len(text), CODE))
        parts.append(text)
        length += len(text)
    return Content("".join(parts), spans)


def _text(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    # An entity such as `&#x202e;` becomes a control character only after the first check.
    return safe(token.content)


def plain(markdown: str, between: str = " ") -> str:
    """Return a text without Markdown syntax and links.

    `between` separates paragraphs and other blocks, which are on one line by default.
    """
    if not markdown:
        return ""
    tokens = [each for each in parser().parse(safe(markdown)) if each.type == "inline"]
    return between.join(_words(token) for token in tokens)


def _words(inline: Token) -> str:
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in inline.children or ()
    )
