"""Running text from lesson files: Markdown, drawn and nothing more."""

from __future__ import annotations

from markdown_it import MarkdownIt
from textual.widgets import Markdown

from tutor.text import safe


def _parser() -> MarkdownIt:
    """CommonMark with tables. HTML stays text, and what looks like an address is not a link."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


class Prose(Markdown):
    """Markdown whose links are only text: nothing is opened, fetched or run."""

    BULLETS: list[str] = ["• ", "◦ ", "• ", "◦ ", "• "]  # noqa: RUF012 (Textual's own type)

    def __init__(self, markdown: str = "", id: str | None = None) -> None:
        super().__init__(safe(markdown), id=id, parser_factory=_parser, open_links=False)

    async def show(self, markdown: str) -> None:
        """Replace the text; returns when it stands on the screen."""
        await self.update(safe(markdown))
