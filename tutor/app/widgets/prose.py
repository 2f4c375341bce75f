"""Render the Markdown of lesson files, which can never run or open anything."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Literal,
    Name,
    Operator,
)
from textual import actions
from textual.content import Content, Span
from textual.highlight import HighlightTheme, highlight
from textual.style import Style
from textual.widgets import Label, Markdown
from textual.widgets._markdown import (
    MarkdownFence,
    MarkdownTable,
    MarkdownTableCellContents,
    MarkdownTableContent,
    MarkdownTH,
)

from tutor.app.widgets.inline import parser
from tutor.app.widgets.more_below import MoreBeside, WideLines
from tutor.app.widgets.static import Static
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
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
        for place, cell in enumerate(self.walk_children(MarkdownTableCellContents)):
            cell.styles.text_align = self._sides[place % len(self._sides)]


class Table(MarkdownTable):
    """A table whose columns have the alignment that their marks (`--:`, `:-:`) declare.

    Textual ignores these marks.
    """

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


class _Calm(HighlightTheme):
    """A theme for syntax highlighting that works without colors.

    Keywords and definitions are bold, and comments are muted and italic.
    """

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
    """A fenced code block in the app's colors. It is highlighted only if it declares a language.

    If its lines are longer than the screen is wide, a line below says so.
    """

    def compose(self) -> ComposeResult:
        lines = WideLines(Label(self._highlighted_code, id="code-content"))
        yield lines
        yield MoreBeside(lines)

    @classmethod
    def highlight(cls, code: str, language: str, ansi: bool = False, dark: bool = False) -> Content:
        name = language.split()[0] if language.strip() else "text"
        if name == "text":
            return Content(code)
        return highlight(code, language=name, theme=_Calm)


_FOCUSED = Style(reverse=True)


class _Link(NamedTuple):
    """A link: the widget that contains it, its position in the widget, and its target."""

    widget: Static
    span: Span
    href: str


class Prose(Markdown):
    """Rendered Markdown in which links can have the focus. It never opens or runs anything itself.

    `focused` is the index of the link in focus, or -1 if there is none, and `href` is that link's
    target.
    """

    BULLETS: list[str] = ["• ", "◦ ", "• ", "◦ ", "• "]  # noqa: RUF012 (Textual's own type)
    BLOCKS: dict[str, type[MarkdownBlock]] = {  # noqa: RUF012 (likewise)
        **Markdown.BLOCKS,
        "fence": Fence,
        "code_block": Fence,
        "table_open": Table,
    }

    def __init__(self, markdown: str = "", id: str | None = None) -> None:
        super().__init__(safe(markdown), id=id, parser_factory=parser, open_links=False)
        self._links: list[_Link] = []
        self.focused = -1
        self._paused_at = -1

    async def show(self, markdown: str) -> None:
        """Replace the text, and return when the new text is on the screen."""
        self._links, self.focused, self._paused_at = [], -1, -1
        await self.update(safe(markdown))
        self._links = [link for widget in self.query(Static) for link in _links_of(widget)]

    @property
    def has_links(self) -> bool:
        return bool(self._links)

    @property
    def href(self) -> str | None:
        """The target of the link in focus, or None if no link has the focus."""
        return self._links[self.focused].href if self.focused >= 0 else None

    def move(self, step: int) -> None:
        """Focus the next link (1) or the previous link (-1).

        After the last link, no link has the focus.
        """
        if self.focused < 0 and 0 <= self._paused_at < len(self._links):
            self.focused = self._paused_at
        self._paused_at = -1
        before, count = self.focused, len(self._links) + 1
        self.focused = (self.focused + 1 + step) % count - 1
        for place in {before, self.focused} - {-1}:
            self._draw(self._links[place].widget)
        if self.focused >= 0:
            self._links[self.focused].widget.scroll_visible(animate=False)
        self.screen.refresh_bindings()

    def leave(self) -> None:
        """Unfocus the link in focus."""
        if self.focused >= 0:
            self.move(len(self._links) - self.focused)

    def pause(self) -> None:
        """Unfocus the link in focus. The next `move` starts from that link."""
        if (focused := self.focused) >= 0:
            self.leave()
            self._paused_at = focused

    def _draw(self, widget: Static) -> None:
        """Draw the link in focus in reverse video, which needs no color and does not move any text.

        Textual underlines all links.
        """
        content = widget.content
        assert isinstance(content, Content)
        content = Content(content.plain, [each for each in content.spans if each.style != _FOCUSED])
        link = self._links[self.focused] if self.focused >= 0 else None
        if link and link.widget is widget:
            content = content.stylize(_FOCUSED, link.span.start, link.span.end)
        widget.update(content, layout=False)


@lru_cache(maxsize=512)  # the glossary calls this for every term after each key press
def _links_of(widget: Static) -> list[_Link]:
    """Return the links of a block in reading order.

    In Textual, each link is a call in the text's markup: link('...').
    """
    content = widget.content
    if not isinstance(content, Content):
        return []
    found = []
    for span in content.spans:
        click = span.style.meta.get("@click") if isinstance(span.style, Style) else None
        if click:
            _, _, (href,) = actions.parse(click)
            found.append(_Link(widget, span, str(href)))
    return sorted(found, key=lambda link: link.span.start)
