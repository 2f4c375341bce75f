"""Open and close the app's screens. The code of each screen is imported when it is needed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from tutor.app.background.lab_keeper import LabKeeper
from tutor.app.base_screen import TutorScreen
from tutor.app.model import consent_text
from tutor.errors import LessonError
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from textual.app import App
    from textual.screen import Screen

    from tutor.app.course_screen import CourseScreen
    from tutor.app.explorer.document import Document, Mode
    from tutor.app.services import Place, Services
    from tutor.course.lesson import Lab, Lesson
    from tutor.course.outline import Outline
    from tutor.course.targets import ScreenTarget, TermTarget
    from tutor.errors import TutorError
    from tutor.sharing.document import SharedXRay
    from tutor.vendors.catalogue import RemoteModel

Found = TypeVar("Found", bound="Screen[Any]")


class Navigator:
    """The app's `Navigation`, which passes `services` and itself to each screen that it opens."""

    def __init__(self, app: App[None], services: Services) -> None:
        self._app = app
        self._services = services
        self.labs = LabKeeper(services.progress, app.set_timer, self.tell)

    def tell(self, message: TutorError | str | None) -> None:
        if isinstance(screen := self._app.screen, TutorScreen):
            screen.tell(message)

    def open_place(self, place: Place) -> None:
        match place:
            case "home":
                self._return_to(self._app.screen_stack[0])
            case "step":
                self._open_explorer("text")
            case "chat":
                self._open_explorer("chat")
            case "guess":
                self.open_guessing_game()
            case "labs":
                from tutor.app.labs.list import LabsScreen

                self._open(LabsScreen)
            case "model":
                from tutor.app.model.screen import ModelScreen

                self._open(ModelScreen)
            case "review":
                from tutor.app.review.screen import ReviewScreen

                self._open(ReviewScreen)
            case "suspended":
                from tutor.app.review.suspended import SuspendedScreen

                self._open(SuspendedScreen)
            case "progress":
                from tutor.app.progress.screen import ProgressScreen

                self._open(ProgressScreen)
            case "teacher":
                from tutor.app.progress.teacher_view import TeacherViewScreen

                self._open(TeacherViewScreen)
            case "glossary":
                from tutor.app.reader.finder import GlossaryScreen

                self._open(GlossaryScreen)
            case "search":
                from tutor.app.reader.finder import SearchScreen

                self._open(SearchScreen)
            case "settings":
                from tutor.app.settings.screen import SettingsScreen

                self._open(SettingsScreen)
            case "tour":
                from tutor.app.home.tour import TourScreen

                self._open(TourScreen)

    def _open(self, kind: type[CourseScreen]) -> None:
        """Open a screen. If a screen of the same class is already open, return to it."""
        if self._open_already(kind) is None:
            self._app.push_screen(kind(self._services, self))

    def _open_already(
        self, kind: type[Found], wanted: Callable[[Found], bool] = lambda _: True
    ) -> Found | None:
        """Return to an open screen of this class that `wanted` accepts, and return that screen.

        Return None if there is no such screen. A second screen with the same content could
        contradict the first.
        """
        for screen in self._app.screen_stack:
            if isinstance(screen, kind) and wanted(screen):
                self._return_to(screen)
                return screen
        return None

    def _return_to(self, screen: Screen[Any]) -> None:
        while self._app.screen is not screen:
            self._app.pop_screen()

    def open_outline(
        self, outline: Outline, screen: str | None = None, *, quiz: bool = False, look: bool = False
    ) -> None:
        try:
            lesson = self._services.course.lesson(outline.id)
        except LessonError as error:
            self.tell(error)
            return
        if lesson is not None and quiz:
            self.open_quiz(lesson)
        elif lesson is not None:
            self.open_lesson(lesson, screen, look=look)

    def open_lesson(self, lesson: Lesson, screen: str | None = None, *, look: bool = False) -> None:
        from tutor.app.reader.lesson import LessonScreen

        self._app.push_screen(LessonScreen(self._services, self, lesson, screen, look=look))

    def open_link(self, href: str, lesson_id: str = "") -> None:
        from tutor.course.targets import target

        found = target(href, self._services.course, lesson_id)
        if found is None:
            self._app.open_url(href)
        else:
            self.open_target(found)

    def open_target(self, target: TermTarget | ScreenTarget) -> None:
        from tutor.course.targets import TermTarget

        course = self._services.course
        if isinstance(target, TermTarget):
            from tutor.app.reader.links import TermScreen

            self._app.push_screen(TermScreen(self._services, self, course.glossary[target.id]))
        elif (outline := course.outline(target.lesson_id)) is not None:
            self.open_outline(outline, target.screen_id or outline.screens[0].id, look=True)

    def open_quiz(self, lesson: Lesson) -> None:
        from tutor.app.quiz.result import ResultScreen
        from tutor.app.quiz.screen import QuizScreen

        if not lesson.questions:
            self.tell(_("This lesson has no questions."))
            return
        for screen in reversed(self._app.screen_stack):
            if isinstance(screen, QuizScreen | ResultScreen) and screen.lesson is lesson:
                self._return_from_reading(screen)
                if isinstance(screen, ResultScreen):
                    self._app.switch_screen(QuizScreen(self._services, self, lesson))
                return
        self._app.push_screen(QuizScreen(self._services, self, lesson))

    def _return_from_reading(self, screen: Screen[None]) -> None:
        """Return to `screen`. The lesson below it shows the part that was read most recently."""
        from tutor.app.reader.lesson import LessonScreen

        read = self._app.screen
        self._return_to(screen)
        below = self._app.screen_stack[-2]
        if isinstance(read, LessonScreen) and isinstance(below, LessonScreen):
            below.continue_from(read)

    def restart_quiz(self, lesson: Lesson, *, only_left: bool = False) -> None:
        from tutor.app.quiz.screen import QuizScreen

        # Esc returns to the end of the lesson.
        self._app.push_screen(QuizScreen(self._services, self, lesson, only_left=only_left))

    def open_end(self, lesson: Lesson) -> None:
        from tutor.app.quiz.result import ResultScreen

        if self._open_already(ResultScreen, lambda each: each.lesson is lesson) is None:
            self._app.push_screen(ResultScreen(self._services, self, lesson, frozenset()))

    def close_lesson(self, lesson: Lesson) -> None:
        from tutor.app.quiz.result import ResultScreen
        from tutor.app.quiz.screen import QuizScreen
        from tutor.app.reader.lesson import LessonScreen

        kinds = LessonScreen | QuizScreen | ResultScreen
        while isinstance(screen := self._app.screen, kinds) and screen.lesson is lesson:
            self._app.pop_screen()

    def show_result(self, lesson: Lesson, unsure: Set[str]) -> None:
        from tutor.app.quiz.result import ResultScreen

        self._app.switch_screen(ResultScreen(self._services, self, lesson, unsure))

    def open_lab(self, lesson: Lesson, lab: Lab) -> None:
        goals = self._services.goals
        match lab.kind:
            case "live":
                self.open_live_lab(lab.live, lesson, lab)
            case "guess":
                self.open_guessing_game(lesson, lab)
            case _:
                from tutor.app.explorer.screen import ExplorerScreen

                engine, progress = self._services.engine, self._services.progress
                stepped = partial(goals.stepped, lesson, lab)
                reached = partial(goals.reached, lesson, lab)
                make = partial(ExplorerScreen, engine, progress, lab, page=lesson.screen_of(lab))
                self._open_on_model(lambda: make(on_stepped=stepped, reached=reached))

    def open_live_lab(
        self, name: str, lesson: Lesson | None = None, embedded: Lab | None = None
    ) -> None:
        from tutor.app.labs.screen import LabScreen
        from tutor.course.lesson import LiveGoal

        lab, goals = self._services.find_lab(name), self._services.goals
        wanted = embedded.goals if embedded else ()
        if embedded is None and self._open_already(LabScreen, lambda each: each.lab is lab):
            return
        screen = LabScreen(
            self._services,
            self,
            lab,
            task=embedded.task if embedded else "",
            first=[goal.name for goal in wanted if isinstance(goal, LiveGoal)],
            left=self.labs.open(lab),
            keep=partial(self.labs.keep, lab),
            reached=goals.kept(lab),
            page=lesson.screen_of(embedded) if lesson and embedded else None,
            on_reached=partial(goals.live, lab, lesson=lesson),
        )
        if lesson is None:
            self._app.run_worker(partial(goals.prepare, lab), name="goals", thread=True)
        self._app.push_screen(screen)

    def open_conversation(self, begin: Document) -> None:
        model = self._services.engine.model
        if model is None:
            self.tell(_("The model is not ready yet."))
        else:
            self.open_text(replace(begin, model=model.sha256 or model.name))

    def open_text(self, begin: Document, xray: SharedXRay | None = None) -> None:
        """Open the stepper with a text from a file or a lab."""
        from tutor.app.explorer.screen import ExplorerScreen

        engine, progress = self._services.engine, self._services.progress
        self._open_on_model(lambda: ExplorerScreen(engine, progress, begin=begin, xray=xray))

    def _open_explorer(self, mode: Mode) -> None:
        from tutor.app.explorer.screen import ExplorerScreen

        if (screen := self._open_already(ExplorerScreen, lambda each: each.is_free)) is not None:
            screen.show_mode(mode)
            return
        engine, progress = self._services.engine, self._services.progress
        sampler = self._services.sampler
        self._open_on_model(lambda: ExplorerScreen(engine, progress, mode=mode, sampler=sampler))

    def _open_on_model(self, make: Callable[[], Screen[None]]) -> None:
        """Open a screen that sends text to the model immediately.

        If the model is remote, the learner is asked for consent first.
        """
        remote = self._services.remote
        if remote is None or self._services.engine.allowed(remote):
            self._app.push_screen(make())
        else:
            asking = self._open_if_agreed(remote, make)
            self._app.run_worker(asking, group="agreed", exclusive=True)

    async def _open_if_agreed(self, remote: RemoteModel, make: Callable[[], Screen[None]]) -> None:
        if await self._services.agreed(remote, consent_text.STEPPING):
            self._app.push_screen(make())
        else:
            self.tell(_("Nothing was sent. Without --model, tutor uses a model on this machine."))

    def open_guessing_game(self, lesson: Lesson | None = None, lab: Lab | None = None) -> None:
        """Open the guessing game with the text of `lab`, which `lesson` embeds.

        With a remote model, show a message instead. The game needs the probability of every token,
        but a server returns only a few probabilities.
        """
        if self._services.remote is not None:
            self.tell(
                _("The guessing game needs the probability of every token. Use a local model.")
            )
            return
        from tutor.app.explorer.guess.panel import GuessScreen

        if lab is None and self._open_already(GuessScreen):
            return
        engine, progress = self._services.engine, self._services.progress
        number = lesson.number if lesson else 0
        over = partial(self._services.goals.over, lesson, lab) if lesson and lab else None
        self._app.push_screen(GuessScreen(engine, progress, lab, lesson=number, on_over=over))

    def open_lesson_progress(self, outline: Outline) -> None:
        from tutor.app.progress.lesson import LessonProgressScreen

        self._app.push_screen(LessonProgressScreen(self._services, self, outline))

    def open_help(self) -> None:
        """Open the help screen, which explains the keys that work on the current screen."""
        from tutor.app.help import HelpScreen

        screen = self._app.screen
        if isinstance(screen, TutorScreen) and not isinstance(screen, HelpScreen):
            keys = screen.active_bindings.values()
            self._app.push_screen(HelpScreen(screen.place, keys, screen.explained))

    def open_palette(self) -> None:
        """Open the command palette, which includes the actions of the current screen."""
        from tutor.app.palette.screen import PaletteScreen

        active = list(self._app.screen.active_bindings.values())
        if not isinstance(self._app.screen, PaletteScreen):
            self._app.push_screen(PaletteScreen(self._services, self, active))
