"""The base of all screens: the status line, the rules, room for a notice, and the key line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Rule, Static

from tutor.app.widgets.key_line import KeyLine
from tutor.app.widgets.notice import Notice
from tutor.app.widgets.top_line import TopLine
from tutor.labs.kit.keys import UP_DOWN, pair

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import DescendantFocus

    from tutor.app.background.status import ModelStatus
    from tutor.errors import TutorError


def scroll_keys(tooltip: str = "Scroll.") -> list[BindingType]:
    """Return the keys that scroll the part of a screen that its `SCROLLED` selects."""
    return [
        *pair(UP_DOWN, "scroll(*)", "scroll", tooltip),
    ]


class TutorScreen(Screen[None]):
    """A screen of the tutor.

    Subclasses yield their content in `compose_content`, set `place` (and `aside`), and list their
    keys in `BINDINGS`. The key line has the shown ones; the help screen explains each key by its
    `tooltip`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="Go back. Nothing is discarded."),
    ]
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012 (Textual's own type)
    """On a low screen, the rules are left out to make room for the content."""
    SCROLLED: ClassVar[str] = ""

    place: reactive[str] = reactive("")
    aside: reactive[str] = reactive("")

    def compose(self) -> ComposeResult:
        yield TopLine().data_bind(TutorScreen.place, TutorScreen.aside)
        yield Rule(classes="edge")
        with Container(id="content"):
            yield from self.compose_content()
        yield Notice(id="notice")
        yield Rule(classes="edge lower")
        yield KeyLine()

    def compose_content(self) -> ComposeResult:
        """Yield the content between the two rules."""
        yield from ()

    def on_mount(self) -> None:
        self.watch(self.app, "model_status", self._model_changed)

    def _model_changed(self, status: ModelStatus) -> None:
        for top in self.query(TopLine):
            top.model, top.model_mark = status.line, status.mark

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Keep the cursor from blinking, which would repaint the screen every half second."""
        if hasattr(event.widget, "cursor_blink"):
            event.widget.cursor_blink = False

    def tell(self, *messages: TutorError | str | None) -> None:
        """Show messages in the notice until others replace them. None hides it."""
        for notice in self.query("#notice").results(Notice):
            notice.said = messages

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_scroll(self, lines: int) -> None:
        self.query_one(self.SCROLLED).scroll_relative(y=lines, animate=False)

    @property
    def can_scroll(self) -> bool:
        return self.query_one(self.SCROLLED).max_scroll_y > 0


class TextScreen(TutorScreen):
    """A screen with one text that scrolls. Subclasses lay it out in `text`."""

    SCROLLED = "#scrolled"
    DEFAULT_CSS = "TextScreen #scrolled { height: 1fr; scrollbar-gutter: stable; }"

    def compose_content(self) -> ComposeResult:
        with VerticalScroll(id="scrolled", can_focus=False):
            yield Static(id="text", markup=False)

    def text(self, width: int) -> list[Content]:
        """Return the lines, wrapped to `width` columns."""
        raise NotImplementedError

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Put the text on the screen."""
        width = self.query_one(self.SCROLLED).scrollable_content_region.width
        self.query_one("#text", Static).update(Content("\n").join(self.text(width)))
        self.call_after_refresh(self.refresh_bindings)  # only now is it known if it can scroll
