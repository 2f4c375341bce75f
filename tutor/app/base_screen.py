"""The base class of all screens: a status line, the content, a notice and the key line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual._context import active_message_pump
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.widget import Widget
from textual.widgets import Rule

from tutor.app.leaving import unless_leaving
from tutor.app.widgets.key_line import KeyLine
from tutor.app.widgets.more_below import MoreBelow, MoreBeside, WideLines
from tutor.app.widgets.notice import Notice
from tutor.app.widgets.scroll_bar import WholeCells
from tutor.app.widgets.static import Static
from tutor.app.widgets.top_line import TopLine
from tutor.labs.kit.keys import SIDEWAYS, UP_DOWN, pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.events import DescendantFocus, Event
    from textual.message_pump import MessagePump

    from tutor.app.background.status import ModelStatus
    from tutor.errors import TutorError

ScrollBar.renderer = WholeCells

ALL_PAGES = 1_000_000
"""A number of pages that reaches the beginning or the end of every text."""


END_KEYS: list[BindingType] = [
    Binding(
        "home",
        f"page(-{ALL_PAGES})",
        show=False,
        key_display="home end",
        tooltip="Go to the beginning or the end.",
        id="top",
    ),
    Binding("end", f"page({ALL_PAGES})", show=False, id="bottom"),
]
"""The bindings that scroll to the beginning or the end of a text that `page` scrolls."""


def scroll_keys(tooltip: str = "Scroll.") -> list[BindingType]:
    """Return key bindings for scrolling the widget that matches the selector `SCROLLED`."""
    return [
        *pair(UP_DOWN, "scroll(*)", "scroll", tooltip),
        Binding("space,pagedown", "page(1)", show=False, tooltip="Page down. PgUp pages up."),
        Binding("pageup", "page(-1)", show=False),
        *END_KEYS,
    ]


PAN_KEYS: list[BindingType] = [
    *pair(SIDEWAYS, "pan(*)", "wide lines", "Show the hidden part of lines that are too long.")
]
"""The bindings that scroll sideways in drawings and code that are wider than the screen."""

ENTER_PAGES = Binding("enter", "more", "more", tooltip="Page down to the text that is hidden.")
"""The binding that makes Enter page down. It must come before other bindings for Enter."""


class TutorScreen(Screen[None]):
    """The base class of the app's screens.

    Subclasses yield their content in `compose_content`, set `place` and optionally `aside` for the
    status line, and list their keys in `BINDINGS`. The key line shows the visible bindings, and the
    help screen explains each key with its `tooltip`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", tooltip="Go back without losing anything."),
    ]
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-wide")]  # noqa: RUF012 (Textual's own type)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high"), (34, "-tall")]  # noqa: RUF012
    """On a screen with few rows, the horizontal rules are hidden to leave room for the content.

    On a screen that is wide and tall, a short text is shown as a card in the middle.
    """
    OPENED_BY: ClassVar[str] = ""
    """The app's action that opens this screen, if a term shown above it must not offer it."""
    SCROLLED: ClassVar[str] = ""
    first_keys: tuple[str, ...] = ("y",)
    """The keys that the key line shows first (see `KeyLine`)."""
    explained: tuple[str, ...] = ()
    """Sentences about what this screen shows. The help screen adds them below the keys."""

    place: reactive[str] = reactive("")
    aside: reactive[str] = reactive("")

    _keys_changed = False
    """Whether the keys on the key line may have changed since they were last compared."""

    def compose(self) -> ComposeResult:
        self._note_size()
        yield TopLine().data_bind(TutorScreen.place, TutorScreen.aside)
        yield Rule(classes="edge")
        with Container(id="content"):
            yield from self.compose_content()
        yield Notice(id="notice")
        yield Rule(classes="edge lower")
        if getattr(self.app, "screen_reader", False):
            from tutor.app.widgets.focus_line import FocusLine

            self.add_class("-spoken")
            yield FocusLine()
        yield KeyLine(self.first_keys)

    def compose_content(self) -> ComposeResult:
        """Yield the widgets between the two horizontal rules."""
        yield from ()

    def _note_size(self) -> None:
        """Add the classes of the breakpoints before there are any widgets.

        Textual adds them at the first resize, and then applies the styles to all widgets again.
        """
        points = (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS)
        for length, names in zip(self.app.size, points, strict=True):
            self.add_class(*self._get_breakpoint_classes(length, names))

    def on_mount(self) -> None:
        self.watch(self.app, "model_status", self._model_changed)
        self.watch(self.app, "unsaved_mark", self._unsaved_changed)

    def _model_changed(self, status: ModelStatus) -> None:
        for top in self.walk_children(TopLine):
            top.model, top.model_mark = status.line, status.mark

    def _unsaved_changed(self, mark: str) -> None:
        for top in self.walk_children(TopLine):
            top.warning = mark

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Stop the cursor from blinking, which would repaint the screen every half second."""
        if hasattr(event.widget, "cursor_blink"):
            event.widget.cursor_blink = False

    def offers(self, action: str) -> bool:
        """Return False if the key of one of the app's actions would be of no use on this screen."""
        return True

    def tell(self, *messages: TutorError | str | None) -> None:
        """Show messages in the notice, until the next call replaces them. None hides the notice."""
        for notice in self.query("#notice").results(Notice):
            notice.said = messages

    def _invoke_later(self, callback: Callable[..., Any], sender: MessagePump) -> None:
        """Call a widget's callback after the next refresh, unless the widget has been removed.

        Textual calls this method on the topmost screen even if the widget belongs to another
        screen. In that case, the callback goes into the widget's own message queue, so that the
        widget still exists when the callback runs.
        """
        owner = active_message_pump.get(sender)
        if isinstance(owner, Widget) and self not in owner.ancestors_with_self:
            owner.call_later(callback)
        else:
            super()._invoke_later(partial(unless_leaving, owner, callback), sender)

    def refresh_bindings(self) -> None:
        """Tell widgets that the available keys may have changed.

        While a screen opens, that happens many times. The key line looks at the keys only once,
        before the screen is painted.
        """
        super().refresh_bindings()
        self._keys_changed = True
        self.check_idle()

    def on_idle(self) -> None:
        if self._keys_changed and self.is_current:
            self._update_timer.resume()

    def _on_timer_update(self) -> None:
        """Paint what has changed, with the keys that are available now."""
        if self._keys_changed and self.is_current:
            self._keys_changed = False
            for line in self.walk_children(KeyLine):
                line.compare()
        super()._on_timer_update()

    def _compositor_refresh(self) -> None:
        """Paint what has changed, unless the whole screen is about to be painted.

        Textual would paint a screen that opens four times, because it computes the layout several
        times before it paints the whole screen.
        """
        if self._repaint_required and self is self.app.screen:
            self._update_timer.resume()  # the computation of the layout has paused it
        else:
            super()._compositor_refresh()

    def _forward_event(self, event: Event) -> None:
        """Pass an event on to its widget, except for the click that ends a text selection."""
        if not (isinstance(event, Click) and self.get_selected_text()):
            super()._forward_event(event)

    def action_back(self) -> None:
        self.leave()

    def leave(self) -> bool:
        """Close this screen, and return True. Return False if it is closing already.

        The user may press the key again before the screen has closed. The second press must not
        close the screen below.
        """
        if not self.is_current:
            return False
        self.app.pop_screen()
        return True

    def action_scroll(self, lines: int) -> None:
        self.query_one(self.SCROLLED).scroll_relative(y=lines, animate=False)

    def action_page(self, direction: int) -> None:
        scrolled = self.query_one(self.SCROLLED)
        lines = max(1, scrolled.size.height - 1)
        scrolled.scroll_relative(y=direction * lines, animate=False)

    def action_more(self) -> None:
        self.action_page(1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "pan":
            return self.cuts_lines
        return super().check_action(action, parameters)

    def action_pan(self, direction: int) -> None:
        for lines in self.walk_children(WideLines):
            lines.pan(direction)

    @property
    def cuts_lines(self) -> bool:
        """True if lines that cannot wrap are longer than the screen is wide."""
        return any(beside.display for beside in self.walk_children(MoreBeside))

    @property
    def can_scroll(self) -> bool:
        """True if the text does not fit into its container."""
        return any(more.scrolls for more in self.walk_children(MoreBelow))

    @property
    def hides_text(self) -> bool:
        """True if there is more text below the visible part."""
        return any(more.hidden for more in self.walk_children(MoreBelow))


class TextScreen(TutorScreen):
    """A screen that shows a text and scrolls it. Subclasses override `text`."""

    SCROLLED = "#scrolled"
    DEFAULT_CSS = "TextScreen #scrolled { height: 1fr; scrollbar-gutter: stable; }"

    def compose_content(self) -> ComposeResult:
        with Vertical(classes="card"):
            with VerticalScroll(id="scrolled", can_focus=False):
                yield Static(id="text", markup=False)
            yield MoreBelow(self.SCROLLED)

    def text(self, width: int) -> list[Content]:
        """Return the text as lines, wrapped to `width` columns."""
        raise NotImplementedError

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Wrap the text to the current width, and show it."""
        width = self.query_one(self.SCROLLED).scrollable_content_region.width
        self.query_one("#text", Static).update(Content("\n").join(self.text(width)))
        # Whether there is anything to scroll is known only after the layout.
        self.call_after_refresh(self.refresh_bindings)
