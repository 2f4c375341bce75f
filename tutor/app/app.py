"""The app: what lives as long as the program runs, and nothing else. Screens do the rest.

Nothing here imports torch, and the engine process is only started after the first paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.reactive import reactive
from textual.screen import Screen

from tutor.app import theme
from tutor.app.screens.base import TutorScreen

if TYPE_CHECKING:
    from tutor.course.catalogue import Course
    from tutor.engine.client import Engine
    from tutor.errors import TutorError
    from tutor.learner.progress import Progress


class TutorApp(App[None]):
    """Holds the course, the learner's progress and the engine; opens and leaves screens."""

    TITLE = "tutor"
    CSS_PATH = "main.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", tooltip="Every key of this screen, in words."),
        Binding("ctrl+q,ctrl+c", "quit", show=False, priority=True, system=True),
    ]

    model_line: reactive[str] = reactive("")
    """How the model is doing, in a few words, for the status line of every screen."""

    def __init__(self, course: Course, progress: Progress, engine: Engine) -> None:
        super().__init__()
        self.course = course
        self.progress = progress
        self.engine = engine
        self.animation_level = "none"
        self._colorless = theme.Colorless()
        self.register_theme(theme.MANY_COLORS)
        self.register_theme(theme.SIXTEEN_COLORS)
        self.theme = theme.theme_for(self.console.color_system, self.no_color)

    def get_line_filters(self) -> Sequence[LineFilter]:
        if self.no_color:
            return [self._colorless]
        return super().get_line_filters()

    def get_default_screen(self) -> Screen[None]:
        from tutor.app.screens.home import HomeScreen

        return HomeScreen()

    def tell(self, message: TutorError | str | None) -> None:
        """Say something calmly on the screen that is shown."""
        if isinstance(self.screen, TutorScreen):
            self.screen.tell(message)

    async def action_help(self) -> None:
        """Open the keys of the current screen, in words."""
