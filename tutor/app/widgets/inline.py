"""Draw a sentence or two of a question, written in inline Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from textual.content import Content, Span

from tutor.app.theme import CODE, KEY
from tutor.app.widgets.key_text import mark_keys
from tutor.text import safe

if TYPE_CHECKING:
    from markdown_it.token import Token


def parser() -> MarkdownIt:
    """Return a parser for CommonMark with tables, which treats HTML and bare addresses as text.

    It marks the keys that the text names.
    """
    found = MarkdownIt("commonmark", {"html": False}).enable("table")
    found.core.ruler.push("keys", mark_keys)
    return found


_STYLES = {"strong_open": "bold", "em_open": "italic", "s_open": KEY}


def inline(markdown: str) -> Content:
    """Draw inline Markdown, with emphasis, code and keys.

    A link becomes its text, and a picture its description. Everything else stays as it is,
    including HTML and line breaks.
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
    # once more, because an entity such as `&#x202e;` has only now become a character
    return safe(token.content)
