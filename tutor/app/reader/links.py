"""Screens whose text contains links. Tab moves to the next link, and Enter opens it.

The screen that explains a term is a panel on top of the screen that links to the term.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Markdown, Rule

from tutor.app.base_screen import PAN_KEYS, TutorScreen, scroll_keys
from tutor.app.course_screen import CourseScreen
from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.inline import plain
from tutor.app.widgets.key_line import KeyLine
from tutor.app.widgets.more_below import MoreBelow
from tutor.app.widgets.notice import Notice
from tutor.app.widgets.prose import Prose
from tutor.app.widgets.static import Static
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Click
    from textual.widget import Widget

    from tutor.app.services import Navigation, Services
    from tutor.course.term import Term

LINK_KEYS: list[BindingType] = [
    Binding("enter", "follow", "open", tooltip="Open the link in focus. Esc returns here."),
    Binding("tab", "link(1)", "links", tooltip="Go to the next link in the text."),
    Binding("shift+tab", "link(-1)", show=False, tooltip="Go to the previous link."),
]
"""The key bindings for links. They must come before the other bindings of a screen."""


class LinkedScreen(CourseScreen):
    """A screen with one `Prose` widget, whose links the learner can open."""

    lesson_id = ""
    """The id of the lesson that contains the text, or "" if no lesson does."""

    @property
    def _field(self) -> Widget | None:
        """The field that gets the focus when a link loses it, or None."""
        return None

    def _to_field(self) -> None:
        """Move the focus to the field, if there is one, without scrolling to it."""
        self.query_one(Prose).pause()
        self.set_focus(self._field, scroll_visible=False)

    def on_screen_resume(self) -> None:
        """Unfocus a link that was opened, so that Enter has its usual meaning again.

        Tab then goes to the link after it.
        """
        if self._href is not None:
            self._to_field()

    @property
    def _href(self) -> str | None:
        return next((prose.href for prose in self.walk_children(Prose)), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "link":
                return any(prose.has_links for prose in self.walk_children(Prose))
            case "follow":
                return self._href is not None
            case "scroll":
                return self.can_scroll
            case "more":
                return self.hides_text
        return super().check_action(action, parameters)

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        self.navigation.open_link(event.href, self.lesson_id)

    async def action_link(self, step: int) -> None:
        self.query_one(Prose).move(step)

    def action_follow(self) -> None:
        if (href := self._href) is not None:
            self.navigation.open_link(href, self.lesson_id)

    def action_back(self) -> None:
        """Unfocus the link that has the focus. If there is none, close the screen."""
        if self._href is not None:
            self.query_one(Prose).leave()
            self._to_field()
        else:
            super().action_back()


class TermScreen(LinkedScreen):
    """A panel with the explanation of a term. The top of the screen below stays visible."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *LINK_KEYS,
        *scroll_keys(_("Scroll the text.")),
        *PAN_KEYS,
    ]
    SCROLLED = "#meaning"
    CSS_PATH = "term.tcss"

    def __init__(self, services: Services, navigation: Navigation, term: Term) -> None:
        super().__init__(services, navigation, classes="-panel")
        self._term = term

    def compose(self) -> ComposeResult:
        with Vertical(id="panel"):
            yield Rule(classes="edge top")
            with VerticalScroll(id="meaning", can_focus=False):
                yield Static(safe(self._term.term), id="term", markup=False)
                yield Prose(id="text")
            yield MoreBelow(self.SCROLLED)
            yield Notice(id="notice")
            yield Rule(classes="edge")
            yield KeyLine()

    def offers(self, action: str) -> bool:
        """Return False for the key that would only go back to the glossary below, as Esc does."""
        stack = self.app.screen_stack
        below = stack[stack.index(self) - 1] if self in stack else self
        return not isinstance(below, TutorScreen) or action != below.OPENED_BY

    def on_mount(self) -> None:
        self.place = _("glossary · {term}").format(term=safe(self._term.term))
        self.call_after_refresh(self._show)

    def on_click(self, event: Click) -> None:
        """Close the panel if the learner clicks the screen below it."""
        if event.widget is self:
            self.leave()

    async def _show(self) -> None:
        await self.query_one(Prose).show(self._term.text)
        # Whether there is anything to scroll is known only after the layout.
        self.call_after_refresh(self.refresh_bindings)

    def copies(self) -> Iterator[Copy]:
        yield Copy(_("the term"), f"{self._term.term}: {plain(self._term.text)}")
