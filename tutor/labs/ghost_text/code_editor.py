"""An editor for Python code, with syntax highlighting and ghost text after the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Self, cast

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from tutor.app.typing_ahead import edited_at_once
from tutor.labs.ghost_text.lab import Accept, Action, Dismiss, Part
from tutor.labs.kit.actions import Choose
from tutor.labs.kit.keys import Keys, key
from tutor.text import writable

if TYPE_CHECKING:
    from textual.events import Key, Paste
    from textual.widgets.text_area import Document, Edit, EditResult

_SEEN = "▏"
_INDENT = 4
_BOLD = ["keyword", "conditional", "repeat", "include", "exception", "boolean", "constant.builtin"]
_KEYWORDS = (*_BOLD, "keyword.function", "keyword.operator", "keyword.return")


class CodeEditor(TextArea):
    """A text area that shows ghost text and reports what the learner does.

    Attributes:
        seen: The lines that the model is shown, marked by a bar next to the line numbers.

    `changed` is called with the text and the cursor position, in characters, after every change and
    before the screen is drawn. So the ghost text always matches the text on the screen. `did` is
    called with the learner's actions on the ghost text, and `left` when the learner leaves the
    editor.

    Ghost text is underlined and italic as well as gray, because some terminals have no gray.
    """

    BINDINGS: ClassVar[Keys] = [
        key("tab", "take('line')", "accept", "Accept the whole proposal, or indent the line."),
        key("right", "cursor_right", "token", "Accept one token.", "→"),
        key("ctrl+right", "cursor_word_right", "word", "Accept one word.", "ctrl+→"),
        key("ctrl+n", "otherwise", "another", "Show a proposal with another first token."),
        key("escape", "leave", "dismiss, leave", "Dismiss the proposal, or leave the editor."),
    ]
    DEFAULT_CSS = """
    CodeEditor {
        height: 1fr; min-height: 3; border: none; padding: 0; background: $background;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
        .text-area--gutter, .text-area--cursor-gutter {
            color: $muted; background: $background; text-style: none;
        }
        .text-area--suggestion { color: $muted; text-style: italic underline; }
    }
    """

    def __init__(
        self,
        longest: int,
        changed: Callable[[str, int], None],
        did: Callable[[Action], None],
        left: Callable[[], object],
    ) -> None:
        # Don't report the changes that the base class's constructor makes.
        self._following = True
        self._held: dict[str, bool] | None = None
        super().__init__(
            language="python",
            soft_wrap=True,
            show_line_numbers=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )
        self.hide_suggestion_on_blur = False
        self.match_cursor_bracket = False
        self.seen = range(0)
        self._report, self._did, self._leave = changed, did, left
        self._longest = longest
        self._following = False

    def on_mount(self) -> None:
        self._use_colors()
        self.watch(self.app, "theme", self._use_colors, init=False)

    def _use_colors(self) -> None:
        """Make keywords bold, and strings and comments colored. More colors would distract."""
        colors = self.app.theme_variables
        code, muted = (Color.parse(colors[name]).rich_color for name in ("code", "muted"))
        styles = dict.fromkeys(_KEYWORDS, Style(bold=True))
        styles |= {"string": Style(color=code), "comment": Style(color=muted)}
        self.register_theme(TextAreaTheme("tutor", syntax_styles=styles))
        self.theme = "tutor"

    # --- what the lab shows ---------------------------------------------------------------------

    def show(self, text: str, cursor: int, gray: str, seen: range) -> None:
        """Show this text, cursor, ghost text and marked lines, without reporting a change."""
        with self._followed(), self._drawn_once():
            if text != self.text:
                self._become(text, cursor)
            if cursor != self.at:
                self.move_cursor(self._document.get_location_from_index(cursor))
            if seen != self.seen:
                self.seen = seen
                self.refresh()
            self.suggestion = gray

    @contextmanager
    def _drawn_once(self) -> Iterator[None]:
        """Draw once, at the end, and only the lines that changed, so that keys respond quickly."""
        if self._held is not None:
            yield
            return
        self._held = {"repaint": False, "layout": False}
        before, colors, lines = self._outline(), dict(self._highlights), {self.cursor_location[0]}
        try:
            yield
        finally:
            held, self._held = self._held, None
            lines.add(self.cursor_location[0])
            if held["layout"] or before != self._outline():
                self.refresh(layout=held["layout"])
            elif held["repaint"]:
                now = self._highlights  # A new quotation mark can recolor lines below.
                lines |= {line for line in colors | now if colors.get(line) != now.get(line)}
                there = (line for line in lines if line < self.document.line_count)
                self.refresh(*map(self._rows_of, there))

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        if self._held is not None and not recompose:
            self._held["repaint"] |= repaint
            self._held["layout"] |= layout
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _outline(self) -> object:
        """Return the values that require a full redraw of the editor if any of them changes."""
        lines, rows = self.document.line_count, self.wrapped_document.height
        return (lines, rows, self.scroll_offset, self.size, self.seen, self.gutter_width)

    def _rows_of(self, line: int) -> Region:
        """Return the region of the screen that a line of the file occupies."""
        first = self.wrapped_document.location_to_offset((line, 0)).y - self.scroll_offset.y
        return Region(0, first, self.size.width, len(self.wrapped_document.get_offsets(line)) + 1)

    def _become(self, text: str, cursor: int) -> None:
        """Replace the text.

        Undo can revert the change only if text was inserted at the cursor.
        """
        at = self.at
        before, put_in, after = text[:at], text[at:cursor], text[cursor:]
        if before + after == self.text:
            self.insert(put_in)
        else:
            self.load_text(text)

    @contextmanager
    def _followed(self) -> Iterator[None]:
        self._following = True
        try:
            yield
        finally:
            self._following = False

    @property
    def at(self) -> int:
        """The cursor position, in characters."""
        return self._document.get_index_from_location(self.cursor_location)

    @property
    def _document(self) -> Document:
        return cast("Document", self.document)  # TextArea always creates a `Document`.

    def render_line(self, y: int) -> Strip:
        """Return row `y` of the screen.

        Lines that the model is shown have a bar next to the line number.
        """
        strip = super().render_line(y)
        if y + self.scroll_offset.y >= self.wrapped_document.height:
            return strip
        number, *rest = strip
        if self._line_at(y + self.scroll_offset.y) in self.seen:
            number = Segment(number.text[:-1] + _SEEN, number.style)
        marked = Strip([number, *rest], strip.cell_length)
        width = self.size.width
        if strip.cell_length <= width:
            return marked
        # Ghost text is truncated at the edge. The view shows it in full below the editor.
        return Strip([*marked.crop(0, width - 1), Segment("…", number.style)], width)

    def _line_at(self, row: int) -> int:
        return self.wrapped_document.offset_to_location(Offset(0, row))[0]

    # --- what the learner does ------------------------------------------------------------------

    def edit(self, edit: Edit) -> EditResult:
        if not edit.text:
            self.suggestion = ""  # TextArea doesn't clear it after a deletion.
        with self._drawn_once():
            return super().edit(edit)

    def watch_selection(self) -> None:
        self._tell()

    def update_suggestion(self) -> None:
        self._tell()

    def _tell(self) -> None:
        if not self._following and self.is_mounted:
            self._report(self.text, self.at)

    async def _on_key(self, event: Key) -> None:
        full = len(self.text) >= self._longest and not self.selected_text
        if full and (event.is_printable or event.key == "enter"):
            event.stop()
            event.prevent_default()
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self._new_line()
        elif not await edited_at_once(self, event):
            await super()._on_key(event)

    def _new_line(self) -> None:
        """Begin a new line with the current line's indent, or one level more after a colon."""
        row, column = self.cursor_location
        line = self.document.get_line(row)[:column]
        indent = len(line) - len(line.lstrip(" "))
        if line.rstrip().endswith(":"):
            indent += _INDENT
        self._put_in("\n" + " " * indent)

    def _put_in(self, text: str) -> None:
        start, end = self.selection
        self.replace(text, start, end, maintain_selection_offset=False)

    async def _on_paste(self, event: Paste) -> None:
        """Paste the part of the text that fits into the file.

        Control characters are replaced with visible characters.
        """
        event.stop()
        event.prevent_default()
        text = writable(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        self._put_in(text[: max(0, self._longest - len(self.text))])

    def action_take(self, part: Part) -> None:
        if self.suggestion:
            self._did(Accept(part))
            return
        row, column = self.cursor_location
        if not self.document.get_line(row)[:column].strip():
            self._put_in(" " * (_INDENT - column % _INDENT))

    def action_cursor_right(self, select: bool = False) -> None:
        if self.suggestion and not select:
            self._did(Accept("token"))
        else:
            super().action_cursor_right(select)

    def action_cursor_word_right(self, select: bool = False) -> None:
        if self.suggestion and not select:
            self._did(Accept("word"))
        else:
            super().action_cursor_word_right(select)

    def action_otherwise(self) -> None:
        self._did(Choose(1, "beginning"))

    def action_leave(self) -> None:
        if self.suggestion:
            self._did(Dismiss())
        else:
            self._leave()
