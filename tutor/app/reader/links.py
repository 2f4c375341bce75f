"""Screens whose text has links: Tab walks through them, Enter opens the one in focus."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tutor.app.base_screen import CourseScreen
from tutor.app.widgets.prose import Prose

LINK_KEYS: list[BindingType] = [
    Binding("enter", "follow", "open", tooltip="Open the link in focus; Esc leads back here."),
    Binding(
        "tab", "link(1)", "links", tooltip="To the next link of the text; after the last, none."
    ),
    Binding("shift+tab", "link(-1)", show=False, tooltip="To the link before."),
]
"""To stand before the other keys of such a screen."""


class LinkedScreen(CourseScreen):
    """Has one `Prose`."""

    @property
    def lesson_id(self) -> str:
        """The lesson that the text belongs to; empty for another text."""
        return ""

    @property
    def _href(self) -> str | None:
        return next((prose.href for prose in self.query(Prose)), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "link":
                return any(prose.has_links for prose in self.query(Prose))
            case "follow":
                return self._href is not None
        return super().check_action(action, parameters)

    def action_link(self, step: int) -> None:
        self.query_one(Prose).move(step)

    def action_follow(self) -> None:
        if (href := self._href) is not None:
            self.navigation.open_link(href, self.lesson_id)

    def action_back(self) -> None:
        """From a link to none, and from there back."""
        if self._href is not None:
            self.query_one(Prose).leave()
        else:
            super().action_back()
