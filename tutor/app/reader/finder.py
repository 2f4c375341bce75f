"""A line to type in, and what is found below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Static

from tutor.app.base_screen import CourseScreen
from tutor.app.widgets.entry import Entry
from tutor.app.widgets.menu import Menu, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Key

    from tutor.app.services import Navigation, Services
    from tutor.course.targets import ScreenTarget, TermTarget

    Target = TermTarget | ScreenTarget


class FinderField(Entry):
    """The line. `?` is a key as long as nothing stands there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "arrow(-1)", "choose", key_display="↑↓", tooltip="Move the mark >."),
        Binding("down", "arrow(1)", show=False),
        Binding("enter", "submit", "open", tooltip="Open what the mark points at."),
    ]

    def check_consume_key(self, key: str, character: str | None) -> bool:
        if character == "?" and not self.value:
            return False
        return super().check_consume_key(key, character)


class FinderScreen(CourseScreen):
    """Subclasses look up what is typed in `look_up` and hand what they found to `found`."""

    CSS_PATH = "finder.tcss"
    PLACEHOLDER: ClassVar[str] = ""

    def __init__(self, services: Services, navigation: Navigation) -> None:
        super().__init__(services, navigation)
        self._targets: Sequence[Target] = ()

    def look_up(self, words: str) -> None:
        raise NotImplementedError

    def compose_content(self) -> ComposeResult:
        with Horizontal(id="line"):
            yield Static("> ", markup=False)
            yield FinderField(self.PLACEHOLDER)
        with VerticalScroll(id="found", can_focus=False):
            menu = Menu()
            menu.can_focus = False
            yield menu

    def on_mount(self) -> None:
        self.query_one(FinderField).focus()
        self.look_up("")

    def found(self, targets: Sequence[Target], rows: Sequence[Row]) -> None:
        """Show what was found; each row opens the target of the same place."""
        self._targets = targets
        self.query_one(Menu).show(rows, cursor=0 if rows else -1)
        self.query_one("#found").scroll_home(animate=False)

    @property
    def words(self) -> str:
        return self.query_one(FinderField).value.strip()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.tell(None)
        self.look_up(self.words)

    @on(Entry.Arrow)
    def _move(self, event: Entry.Arrow) -> None:
        self.query_one(Menu).action_move(event.by)

    @on(Input.Submitted)
    def _open(self) -> None:
        cursor = self.query_one(Menu).cursor
        if 0 <= cursor < len(self._targets):
            self.navigation.open_target(self._targets[cursor])

    def on_key(self, event: Key) -> None:
        """What was typed before the line stood on the screen is meant for it."""
        if event.is_printable and event.character not in (None, "?"):
            event.stop()
            self.query_one(FinderField).insert_text_at_cursor(event.character or "")
