"""Convert the Markdown of lessons to lines that a screen reader can read aloud."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tutor.language import _
from tutor.plain.words import ended, spoken
from tutor.text import counted, safe

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRAWN = re.compile(r"[│┃┌┐└┘├┤┬┴┼╔╗╚╝╭╮╰╯▲▼]")
_LANGUAGES = {"python": "Python", "yaml": "YAML", "markdown": "Markdown", "json": "JSON"}


class Text(msgspec.Struct, frozen=True):
    """Markdown, converted to lines of plain text.

    `links` maps the text of each link to its target, and `drawings` contains the drawings that are
    not in `lines`.
    """

    lines: tuple[str, ...]
    links: dict[str, str]
    drawings: tuple[str, ...]


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def read(markdown: str) -> Text:
    """Convert Markdown to lines.

    Each line is a paragraph, a list item, a table row or a line of code.
    """
    reader = _Reader()
    tree = SyntaxTreeNode(_parser().parse(safe(markdown)))
    lines = tuple(line for line in reader.blocks(tree) if line)
    return Text(lines, reader.links, tuple(reader.drawings))


def inline(markdown: str) -> str:
    """Convert a sentence or two of inline Markdown to one line."""
    return _Reader().text(SyntaxTreeNode(_parser().parseInline(safe(markdown))))


class _Reader:
    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self.drawings: list[str] = []

    def blocks(self, node: SyntaxTreeNode) -> Iterator[str]:
        for child in node.children:
            match child.type:
                case "heading":
                    yield _("Section: {text}").format(text=ended(self.text(child)))
                case "bullet_list" | "ordered_list":
                    yield from self._list(child)
                case "table":
                    yield from self._table(child)
                case "fence" | "code_block":
                    yield from self._code(child)
                case "blockquote":
                    yield from self._quotation(child)
                case "hr":
                    continue
                case _:
                    yield self.text(child)

    def text(self, node: SyntaxTreeNode) -> str:
        """Return the text of a node and its descendants, on one line."""
        return spoken(" ".join(self._raw(node).split()))

    def _raw(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "text" | "code_inline":
                return safe(node.content)  # decoding entities can produce control characters
            case "softbreak" | "hardbreak":
                return " "
            case "image":
                return node.content
        inside = "".join(map(self._raw, node.children))
        if node.type == "link":
            self.links.setdefault(inside, str(node.attrs.get("href", "")))
        return inside

    def _list(self, node: SyntaxTreeNode) -> Iterator[str]:
        count = len(node.children)
        for number, item in enumerate(node.children, 1):
            first, *rest = [*self.blocks(item)] or [""]
            yield _("Item {number} of {count}: {first}").format(
                number=number, count=count, first=first
            )
            yield from rest

    def _quotation(self, node: SyntaxTreeNode) -> Iterator[str]:
        lines = [*self.blocks(node)]
        yield _("Quotation: {text}").format(text=lines[0] if lines else "")
        yield from lines[1:]

    def _table(self, node: SyntaxTreeNode) -> Iterator[str]:
        head, *body = node.children
        names = [self.text(cell) for cell in head.children[0].children]
        rows = [row for part in body for row in part.children]
        yield _("Table, {rows}. Columns: {names}.").format(
            rows=counted(len(rows), "row"), names="; ".join(filter(None, names))
        )
        for number, row in enumerate(rows, 1):
            cells = zip(names, map(self.text, row.children), strict=False)
            said = "; ".join(
                f"{name}: {cell}" if name and column else cell
                for column, (name, cell) in enumerate(cells)
                if cell
            )
            yield _("Row {number}: {said}").format(number=number, said=said)

    def _code(self, node: SyntaxTreeNode) -> Iterator[str]:
        lines = [line.rstrip() for line in node.content.splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        language = (node.info.split() or [""])[0]
        written = counted(sum(map(bool, lines)), "line")
        if language in ("", "text"):
            if sum(bool(_DRAWN.search(line)) for line in lines) > 1:
                self.drawings.append("\n".join(lines))
                yield _("A drawing ({lines}) is left out here.").format(lines=written)
                return
            lines = _joined(lines)
            yield _("Text, {lines}:").format(lines=counted(len(lines), "line"))
            yield from map(_columns, lines)
            yield _("End of the text.")
            return
        yield _("Code in {language}, {lines}:").format(
            language=_LANGUAGES.get(language, language), lines=written
        )
        yield from lines
        yield _("End of the code.")


def _joined(lines: list[str]) -> list[str]:
    """Join each deeply indented line to the line before it, which it continues."""
    found: list[str] = []
    for line in filter(None, lines):
        if found and line.startswith(" " * 6) and not re.search(r"\S\s{3,}\S", line):
            found[-1] += f" {line.strip()}"
        else:
            found.append(line)
    return found


def _columns(line: str) -> str:
    """Separate the columns of a line with punctuation instead of spaces."""
    parts = [*filter(None, (spoken(part) for part in re.split(r"\s{2,}", line)))]
    return (": " if len(parts) == 2 else ", ").join(parts)
