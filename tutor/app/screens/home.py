"""The course map: where everything starts."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tutor.app.screens.base import TutorScreen


class HomeScreen(TutorScreen):
    """Lists the lessons and their state, and what else there is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.quit", "quit", tooltip="Leave. Everything is saved already."),
    ]

    def on_mount(self) -> None:
        self.place = "tutor"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "back"
