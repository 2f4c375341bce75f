"""The base of the screens that use the course, the learner's progress or the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.app.base_screen import TutorScreen

if TYPE_CHECKING:
    from tutor.app.services import Navigation, Place, Services


class CourseScreen(TutorScreen):
    """A screen that uses the course, the learner's progress or the model, or leads to other
    screens."""

    def __init__(
        self, services: Services, navigation: Navigation, *, classes: str | None = None
    ) -> None:
        super().__init__(classes=classes)
        self.services = services
        self.navigation = navigation

    def action_open(self, place: Place) -> None:
        self.navigation.open(place)
