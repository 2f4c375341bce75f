"""Base classes for screens that use the course, the learner's progress or the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import on

from tutor.app.base_screen import TutorScreen
from tutor.app.widgets.menu import Menu, Row

if TYPE_CHECKING:
    from tutor.app.services import Navigation, Place, Services

Entry = tuple[Row, Callable[[], object]]
"""A menu row, and the function to call when the learner chooses that row."""


class CourseScreen(TutorScreen):
    """A screen that has access to the services and to the navigation."""

    def __init__(
        self, services: Services, navigation: Navigation, *, classes: str | None = None
    ) -> None:
        super().__init__(classes=classes)
        self.services = services
        self.navigation = navigation

    def action_open(self, place: Place) -> None:
        self.navigation.open_place(place)


class MenuScreen(CourseScreen):
    """A screen with a `Menu` whose entries open other screens."""

    _openers: Sequence[Callable[[], object] | None] = ()

    def on_mount(self) -> None:
        self.query_one(Menu).focus(scroll_visible=False)

    def on_screen_resume(self) -> None:
        self.fill()

    def fill(self) -> None:
        """Update the screen when it is shown again."""
        raise NotImplementedError

    def show_entries(self, entries: Sequence[Entry | None], *, flat: bool = False) -> None:
        """Show these entries in the menu. None represents a blank line (see `Menu.show`)."""
        self._openers = [each and each[1] for each in entries]
        self.query_one(Menu).show([each and each[0] for each in entries], flat=flat)

    @on(Menu.Chosen)
    def _open_chosen(self, event: Menu.Chosen) -> None:
        """Open the chosen entry, unless it has disappeared from the list in the meantime."""
        if event.index < len(self._openers) and (opener := self._openers[event.index]):
            opener()
