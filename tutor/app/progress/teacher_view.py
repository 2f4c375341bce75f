"""The screen that shows learners what a teacher sees about them in the class report."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.content import Content

from tutor.app.base_screen import TextScreen, scroll_keys
from tutor.app.course_screen import CourseScreen
from tutor.app.theme import MUTED
from tutor.app.widgets.layout import hanging
from tutor.classroom.mine import YOU, explained
from tutor.classroom.reading import studied_of
from tutor.classroom.tables import learners_table
from tutor.errors import StoreError
from tutor.language import _
from tutor.learner.progress import Progress

if TYPE_CHECKING:
    from textual.binding import BindingType

    from tutor.app.services import Services
    from tutor.classroom.learner import Studied

_LABEL = 14


class TeacherViewScreen(TextScreen, CourseScreen):
    """A screen with the learner's row in the class report, and an explanation of each column."""

    BINDINGS: ClassVar[list[BindingType]] = scroll_keys()
    _mine: Studied | None = None

    def on_mount(self) -> None:
        self.place = _("progress · what a teacher sees")
        self._look()

    @work(exclusive=True)
    async def _look(self) -> None:
        """Read the files that the report is based on.

        This runs in a thread, because the files can cover several years.
        """
        try:
            self._mine = await asyncio.to_thread(_read, self.services)
        except StoreError as error:
            self.tell(error)
        else:
            self.draw()

    def text(self, width: int) -> list[Content]:
        return drawn(self._mine, width) if self._mine is not None else []


def _read(services: Services) -> Studied:
    shown = services.progress
    progress = Progress.open(shown.folder, clock=shown.clock)
    return studied_of(YOU, services.course, progress)


def drawn(mine: Studied, width: int) -> list[Content]:
    table = learners_table([mine.row])
    lines = [
        hanging(Content.styled(f"{column.title:<{_LABEL}}", MUTED), Content(cell or "-"), width)
        for column, cell in zip(table.columns, table.rows[0], strict=True)
    ]
    for paragraph in explained(mine):
        lines += [Content(""), hanging(Content(""), Content(paragraph), width)]
    return lines
