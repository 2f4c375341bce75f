"""Tables in running text."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.widgets._markdown import (
    MarkdownTable,
    MarkdownTableCellContents,
    MarkdownTableContent,
    MarkdownTH,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.content import Content
    from textual.css.types import TextAlign
    from textual.widgets._markdown import MarkdownBlock

_MARKED: dict[str, TextAlign] = {"text-align:right": "right", "text-align:center": "center"}


class _Cells(MarkdownTableContent):
    def __init__(
        self, headers: list[Content], rows: list[list[Content]], sides: Sequence[TextAlign]
    ) -> None:
        super().__init__(headers, rows)
        self._sides = sides

    def on_mount(self) -> None:
        for place, cell in enumerate(self.query(MarkdownTableCellContents)):
            cell.styles.text_align = self._sides[place % len(self._sides)]


class Table(MarkdownTable):
    """A table whose columns stand where their marks (`--:`, `:-:`) say, which Textual's own does
    not look at."""

    def compose(self) -> ComposeResult:
        sides = [_side(block) for block in self._headings()]
        self._headers, self._rows = self._get_headers_and_rows()
        yield _Cells(self._headers, self._rows, sides)

    def _headings(self) -> list[MarkdownBlock]:
        blocks: list[MarkdownBlock] = list(self._blocks)
        found: list[MarkdownBlock] = []
        while blocks:
            block = blocks.pop(0)
            if isinstance(block, MarkdownTH):
                found.append(block)
            blocks[:0] = block._blocks
        return found


def _side(heading: MarkdownBlock) -> TextAlign:
    style = cast("str", heading._token.attrs.get("style", ""))
    return _MARKED.get(style, "left")
