"""Show a lesson file as learners see it, and reload it when it is saved (`tutor preview`).

A thread watches the file and passes the parsed lesson to the app, which stays at the current screen
of the lesson. While the learner's view of the lesson is covered (by a lab, help or a term), the app
waits before it shows the new version.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from tutor.app.app import TutorApp
from tutor.app.quiz.screen import QuizScreen
from tutor.app.reader.lesson import LessonScreen
from tutor.authoring.lint import Finding, look_over
from tutor.authoring.problems import ProblemsScreen
from tutor.course.catalogue import Course, load_course
from tutor.course.folder import original_folder
from tutor.course.lesson import Lesson
from tutor.engine.api import Engine
from tutor.errors import LessonError
from tutor.learner.progress import Progress

LOOKS_EVERY = 0.25
"""The number of seconds between checks of the file.

The file is parsed when two checks in a row find the same state, because an editor may need several
steps to write it.
"""


class Seen(msgspec.Struct, frozen=True):
    """The result of parsing the file.

    It contains the course, the lesson if it is valid, and the findings of the linter.
    """

    course: Course
    lesson: Lesson | None
    findings: tuple[Finding, ...]


def see(file: Path) -> Seen:
    """Parse the file as part of the course in its folder. Errors are returned, not raised."""
    report = look_over([file])
    try:
        original = original_folder(file.parent)
        language = file.parent.name if original else ""
        course = load_course(original or file.parent, language=language)
    except LessonError:  # The report also contains this error.
        course = Course()
    if not report.lessons:
        return Seen(course, None, report.findings)
    lesson = report.lessons[0].lesson
    if course.outline(lesson.id) is None or course.lesson(lesson.id) != lesson:
        course = Course((lesson,), terms=tuple(course.glossary.values()))
    return Seen(course, course.lesson(lesson.id), report.findings)


class PreviewApp(TutorApp):
    """An app that shows a single lesson while its author writes it."""

    CSS_PATH = "../app/main.tcss"

    def __init__(
        self,
        file: Path,
        progress: Progress,
        engine: Engine,
        *,
        model_missing: Callable[[], bool],
        ascii_only: bool = False,
    ) -> None:
        """Preview `file`. `progress` is temporary, so that no stored progress changes."""
        self._file = file
        self._seen = see(file)
        super().__init__(
            self._seen.course,
            progress,
            engine,
            model_missing=model_missing,
            ascii_only=ascii_only,
        )
        self._waiting = False
        self._over = threading.Event()

    def begin(self) -> None:
        super().begin()
        self._show()
        threading.Thread(target=self._look, daemon=True, name="preview").start()

    async def on_unmount(self) -> None:
        self._over.set()  # Textual calls the method of the base class too.

    # --- watching the file, in a separate thread ---------------------------------------------

    def _look(self) -> None:
        shown = before = _state(self._file)
        while not self._over.wait(LOOKS_EVERY):
            now = _state(self._file)
            if now == before and now != shown:
                shown = now
                self._hand_over(see(self._file))
            elif self._waiting:
                self._hand_over(None)
            before = now

    def _hand_over(self, seen: Seen | None) -> None:
        try:
            self.call_from_thread(self._came, seen)
        except RuntimeError:  # The app has been closed in the meantime.
            self._over.set()

    # --- showing -----------------------------------------------------------------------------

    def _came(self, seen: Seen | None) -> None:
        """Accept a new version of the file, and show it unless another screen covers the lesson."""
        if seen is not None:
            self._seen = seen
            self.services.replace_course(seen.course)
            self._waiting = True
        if self._waiting and self._may_show:
            self._waiting = False
            self._show()

    @property
    def _may_show(self) -> bool:
        """Return False while the lesson is covered by another screen that must not be closed."""
        return isinstance(self.screen, LessonScreen | ProblemsScreen | QuizScreen)

    def _show(self) -> None:
        """Show the current version, at the screen where the author left the lesson."""
        asking = isinstance(self.screen, QuizScreen)
        while isinstance(self.screen, LessonScreen | ProblemsScreen | QuizScreen):
            self.pop_screen()
        errors = tuple(each for each in self._seen.findings if each.level == "error")
        if errors or self._seen.lesson is None:
            self.push_screen(ProblemsScreen(self._file.name, self._seen.findings))
            return
        lesson = self._seen.lesson
        self.navigator.open_lesson(lesson)
        if asking and lesson.questions:
            self.navigator.open_quiz(lesson)
        elif self._seen.findings:
            self.call_after_refresh(self.navigator.tell, _briefly(self._seen.findings))


def _briefly(findings: tuple[Finding, ...]) -> str:
    """Return the first finding, with the number of further findings."""
    first = findings[0]
    more = f" ({len(findings) - 1} more: `tutor lint`)" if len(findings) > 1 else ""
    return f"Line {first.line}: {first.message}{more}"


def _state(file: Path) -> tuple[int, int] | None:
    """Return a value that changes when the file is saved, or None if the file does not exist."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def make_preview(
    file: Path, progress: Progress, model: str | None, *, ascii_only: bool = False
) -> PreviewApp:
    """Return a preview of `file` that uses the given model. None means the default model."""
    from tutor.engine.client import EngineClient
    from tutor.models import installed
    from tutor.text import writes_utf8

    def missing() -> bool:
        wanted = model is None and not os.environ.get("TUTOR_MODEL")
        return wanted and installed.installed_default() is None

    return PreviewApp(
        file,
        progress,
        EngineClient(model),
        model_missing=missing,
        ascii_only=ascii_only or not writes_utf8(),
    )
