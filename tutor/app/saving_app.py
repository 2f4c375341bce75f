"""The base class that lets the app save progress and report changes that were not saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import reactive

from tutor.app.copying.app import CopyingApp
from tutor.app.home.screen import HomeScreen
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.background import BackgroundProgress
from tutor.learner.errors import StoreRepaired

if TYPE_CHECKING:
    from tutor.app.navigator import Navigator
    from tutor.learner.progress import Progress


class SavingApp(CopyingApp):
    """An app that saves a learner's progress in the background, and reports what was not saved.

    A message explains each failure, and stays until another message replaces it. A mark in the
    status line of every screen stays until a change has been saved again.
    """

    unsaved_mark: reactive[str] = reactive("")
    """The mark in the status line if the latest change could not be saved, or ""."""
    navigator: Navigator

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = BackgroundProgress(progress, self._saving_failed, self._saving_changed)
        self.untold: list[Exception] = []
        """Errors from saving that have not been shown to the learner yet."""
        self._leaving = False

    def _saving_failed(self, error: Exception) -> None:
        """Store an error from saving, so that it will be shown. Called in the saving thread."""
        self.untold.append(error)
        self.call_later(self._tell_untold)

    def _saving_changed(self) -> None:
        """Update the mark in the status line. Called in the saving thread."""
        self.call_later(self._mark_unsaved)

    def _mark_unsaved(self) -> None:
        self.unsaved_mark = _("not saved") if self.progress.refused else ""

    def _tell_untold(self) -> None:
        while self.untold and not self._leaving:
            error = self.untold.pop(0)
            if not isinstance(error, TutorError):
                raise error
            if isinstance(error, StoreRepaired) and isinstance(self.screen, HomeScreen):
                self.screen.tell_problems()  # the course map lists all problems together
            else:
                self.navigator.tell(error)
