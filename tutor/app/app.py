"""The app: what lives as long as the program runs, and the ways from one screen to another.

Nothing here imports torch, and the engine process is only started after the first paint.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Event, Key, Paste
from textual.reactive import reactive

from tutor.allowed import EVERYTHING, Allowed
from tutor.app import theme
from tutor.app.base_screen import TutorScreen
from tutor.app.home.background_load import ReadingOn
from tutor.app.home.screen import HomeScreen
from tutor.app.labs.goal_keeper import GoalKeeper
from tutor.app.model.keeper import ModelKeeper
from tutor.app.model.status import ModelStatus
from tutor.app.terminal.ascii_only import AsciiOnly
from tutor.app.terminal.idle_screen import IdleScreen
from tutor.app.terminal.late_keys import LateKeys
from tutor.app.terminal.remote_terminal import OverLine
from tutor.errors import LessonError, StoreRepaired, TutorError
from tutor.learner import review
from tutor.learner.background import BackgroundProgress
from tutor.study.asked import asked

if TYPE_CHECKING:
    from collections.abc import Sequence, Set
    from pathlib import Path

    from textual.filter import LineFilter
    from textual.screen import Screen

    from tutor.app.terminal.idle import IdleLimit
    from tutor.course.catalogue import Course, Opening
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab, Lesson
    from tutor.course.links import ScreenTarget, TermTarget
    from tutor.course.outline import Outline
    from tutor.engine.client import Engine
    from tutor.labs.kit.runner import Left
    from tutor.learner.progress import Progress
    from tutor.learner.review import Asked, Queue
    from tutor.lm.distribution import SamplerSettings, Token
    from tutor.lm.token_tree import Step
    from tutor.vendors.catalogue import RemoteModel

    Target = TermTarget | ScreenTarget

QUIT_PATIENCE = 6.0
"""Seconds that leaving waits for what is being saved: longer than a save waits for its turn."""
UNMOUNT_PATIENCE = 1.5
"""The same where the app has to leave, for want of a terminal."""


_WHAT_STEPPING_SENDS = (
    "The text or conversation that you step through, whole, with each token that is added"
)

Start = Literal["home", "review"]
"""What stands on the screen first; home is below it."""


def _never() -> bool:
    return False


class TutorApp(OverLine):
    """Holds the course, the learner's progress and the engine; opens and leaves screens."""

    TITLE = "tutor"
    CSS_PATH = "main.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "glossary", "terms", tooltip="The glossary: what the terms mean."),
        Binding("slash", "search", "search", tooltip="Search lessons, glossary and questions."),
        Binding("question_mark", "help", "help", tooltip="Every key of this screen, in words."),
        Binding("ctrl+q,ctrl+c", "quit", show=False, priority=True, system=True),
        Binding("ctrl+l", "redraw", show=False, priority=True, system=True),
    ]

    model_status: reactive[ModelStatus] = reactive(ModelStatus())
    """How the model is doing; every screen shows it in its status line."""

    def __init__(
        self,
        course: Course,
        progress: Progress,
        engine: Engine,
        *,
        opening: Opening | None = None,
        model_missing: Callable[[], bool] = _never,
        start: Start = "home",
        lab: str | None = None,
        ascii_only: bool = False,
        remote: RemoteModel | None = None,
        allowed: Allowed = EVERYTHING,
        idle: IdleLimit | None = None,
    ) -> None:
        """`opening` is where `course` is from, if there is more of it to be read than it tells yet.
        `model_missing` says whether the default model is meant and not installed: it is
        fetched in the background then. `lab` is one to begin with, over home. `ascii_only`:
        nothing but ASCII is drawn. `remote` is the model of the engine, if it is elsewhere.
        `allowed` says what may be done here, `idle` hears of every key."""
        super().__init__()
        self.course = course
        self.progress = BackgroundProgress(progress, self._heard)
        self.goals = GoalKeeper(self.progress, lambda lesson_id: self.course.lesson(lesson_id))
        self.untold: list[Exception] = []
        """What went wrong while saving and has not been said yet."""
        self.labs_left: dict[str, Left] = {}
        """Where the labs were left, by name: for as long as the program runs."""
        self._leaving = False
        self._opening = opening
        self._reading_on = ReadingOn(opening) if opening else None
        self._start = start
        self._start_lab = lab
        self.engine = engine
        self.remote = remote
        self.allowed = allowed
        self.idle = idle
        self.keeper = ModelKeeper(
            engine, self._model_changed, missing=model_missing, may_fetch=allowed.fetching
        )
        self.animation_level = "none"
        self._line_filters: list[LineFilter] = []
        """What replaces Textual's own filters where anything stands here."""
        self._late_keys = LateKeys()
        self.register_theme(theme.MANY_COLORS)
        self.register_theme(theme.SIXTEEN_COLORS)
        if self.no_color:
            self._line_filters.append(theme.Colorless())
        if ascii_only:
            self._line_filters = [*self.get_line_filters(), AsciiOnly()]
        self.theme = theme.theme_for(self.console.color_system, self.no_color)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return self._line_filters or super().get_line_filters()

    def get_default_screen(self) -> Screen[None]:
        return HomeScreen()

    # --- keys -----------------------------------------------------------------------------------

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key | Paste) and not event.is_forwarded and self.idle is not None:
            self.idle.pressed()
            if isinstance(self.screen, IdleScreen):  # the key that stays does nothing else
                self.pop_screen()
                return
        if isinstance(event, Key) and not event.is_forwarded:
            if self._reading_on is not None:
                self._reading_on.key_pressed()
            self._late_keys.sent(event, self.focused or self.screen)
        await super().on_event(event)

    async def _on_key(self, event: Key) -> None:
        """A key that nothing wanted where it was sent to; the keys of the app come after this."""
        if self._late_keys.redirected(event, self.focused or self.screen):
            event.prevent_default()

    # --- the model ------------------------------------------------------------------------------

    def on_ready(self) -> None:
        """The first screen stands: now the engine may start, and the rest of the course be read."""
        if not gc.isenabled():  # `tutor.cli.app` has put it off until now
            gc.freeze()  # what is there by now stays, and need not be looked at ever again
            gc.enable()
        if self.remote is not None and self.remote.here:
            self.engine.allow(self.remote)  # with the key, where its server wants one
        self.run_worker(self.keeper.start(), name="model")
        self.run_worker(self._read_on(), name="course")
        self.progress.check()
        if self._start == "review":
            self.open_review()
        if self._start_lab is not None:
            self.open_live_lab(self._start_lab)

    async def _read_on(self) -> None:
        """Reads what the course does not tell yet, and says what is wrong there."""
        if self._opening is None or self._reading_on is None:
            return
        await self._reading_on.run()
        problems, self._opening = self._opening.course().problems, None
        if len(problems) > len(self.course.problems):
            self.course.problems = problems
            for screen in self.screen_stack:
                if isinstance(screen, HomeScreen):
                    screen.tell_problems()

    async def on_unmount(self) -> None:
        self._leaving = True
        await self.keeper.stop()
        await asyncio.to_thread(self.progress.drain, UNMOUNT_PATIENCE)

    def _model_changed(self, status: ModelStatus) -> None:
        before, self.model_status = self.model_status, status
        if status.failure is not None and status.failure is not before.failure:
            self.tell(status.failure)
        elif status.ready and before.failure is not None:
            self.tell("The model is ready again.")

    async def agreed(self, model: RemoteModel, what: str) -> bool:
        """Whether texts may be sent to the host of `model`: the learner is asked, once for each
        host, with `what` would be sent as a phrase. For a server on this machine nobody is asked.
        Await it in a worker: it lasts for as long as the question stands on the screen."""
        if model != self.remote and not self.allowed.other_servers:
            return False
        if not self.engine.allowed(model):
            from tutor.app.model.consent import ConsentScreen

            answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

            def decided(yes: bool) -> None:
                if not answer.done():  # whoever asked may be gone
                    answer.set_result(yes)

            self.push_screen(ConsentScreen(model, what, decided))
            if not await answer:
                return False
        self.engine.allow(model)
        return True

    # --- progress -------------------------------------------------------------------------------

    def _heard(self, error: Exception) -> None:
        """Of something that went wrong while saving; in the thread that saves."""
        self.untold.append(error)
        self.call_later(self._tell_untold)

    def _tell_untold(self) -> None:
        while self.untold and not self._leaving:
            error = self.untold.pop(0)
            if not isinstance(error, TutorError):
                raise error
            if isinstance(error, StoreRepaired) and isinstance(self.screen, HomeScreen):
                self.screen.tell_problems()  # with what else was found
            else:
                self.tell(error)

    def tell(self, message: TutorError | str | None) -> None:
        """Say something calmly on the screen that is shown."""
        if isinstance(self.screen, TutorScreen):
            self.screen.tell(message)

    async def action_quit(self) -> None:
        """Leave as soon as everything is saved; keys work meanwhile."""
        self.run_worker(self._leave(), name="leave", exclusive=True, group="leave")

    async def _leave(self) -> None:
        if self.progress.unsaved:
            self.tell("Saving what is not saved yet, then leaving.")
            self._leaving = True
            await asyncio.to_thread(self.progress.drain, QUIT_PATIENCE)
        self.exit()

    def ask_whether_there(self) -> None:
        """Nobody has pressed a key for long, and soon the program would end."""
        if self.idle is not None and not isinstance(self.screen, IdleScreen):
            self.push_screen(IdleScreen(self.idle))

    def _handle_exception(self, error: Exception) -> None:
        """A screen that was opened just before the program was left is mounted without its
        widgets, and does not find them: nobody will see it any more."""
        if not (self._exit and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    # --- ways from screen to screen -------------------------------------------------------------

    def open_outline(
        self, outline: Outline, screen_id: str | None = None, *, quiz: bool = False
    ) -> None:
        """The lesson of an outline (or its questions), which is read now. Its file may have
        changed since the course was opened: that is told, then."""
        try:
            lesson = self.course.lesson(outline.id)
        except LessonError as error:
            self.tell(error)
            return
        if lesson is None:
            return
        if quiz:
            self.open_quiz(lesson)
        else:
            self.open_lesson(lesson, screen_id)

    def open_lesson(self, lesson: Lesson, screen_id: str | None = None) -> None:
        from tutor.app.reader.lesson import LessonScreen

        self.push_screen(LessonScreen(lesson, screen_id))

    def open_link(self, href: str, lesson_id: str = "") -> None:
        """What a link in a text leads to, over the screen that it stands on. `lesson_id` is the
        lesson of the text. Addresses outside the course are only told."""
        from tutor.course.links import target

        found = target(href, self.course, lesson_id)
        if found is None:
            self.open_url(href)
        else:
            self.open_target(found)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Addresses are told, never opened: whatever Textual or a click may ask for."""
        self.tell(f"This leads out of the course: {url}")

    def open_target(self, target: Target) -> None:
        from tutor.course.links import TermTarget

        if isinstance(target, TermTarget):
            from tutor.app.reader.term import TermScreen

            self.push_screen(TermScreen(self.course.glossary[target.id]))
        elif (outline := self.course.outline(target.lesson_id)) is not None:
            self.open_outline(outline, target.screen_id or outline.screens[0].id)

    def open_quiz(self, lesson: Lesson) -> None:
        """The questions of a lesson. Where they or their result are open already, further down,
        the way leads back there: two screens of one quiz would contradict each other."""
        from tutor.app.quiz.result import ResultScreen
        from tutor.app.quiz.screen import QuizScreen

        if not lesson.questions:
            self.tell("This lesson has no questions.")
            return
        for screen in self.screen_stack:
            if isinstance(screen, QuizScreen | ResultScreen) and screen.lesson is lesson:
                while self.screen is not screen:
                    self.pop_screen()
                if isinstance(screen, ResultScreen):
                    self.switch_to_quiz(lesson)
                return
        self.push_screen(QuizScreen(lesson))

    def switch_to_quiz(self, lesson: Lesson) -> None:
        from tutor.app.quiz.screen import QuizScreen

        self.switch_screen(QuizScreen(lesson))

    def show_result(self, lesson: Lesson, unsure: Set[str]) -> None:
        """The quiz makes room for its result: Esc leads to where the quiz was opened."""
        from tutor.app.quiz.result import ResultScreen

        self.switch_screen(ResultScreen(lesson, unsure))

    def open_lab(self, lesson: Lesson, lab: Lab) -> None:
        """A lab over the lesson, on the whole screen."""
        if lab.kind == "live":
            self.open_live_lab(lab.live, lesson, lab)
            return
        if lab.kind == "guess":
            if self._no_guessing():
                return
            from tutor.app.explorer.guess.panel import GuessScreen

            async def over() -> str | None:
                return await self.goals.over(lesson, lab)

            self.push_screen(GuessScreen(self.engine, self.progress, lab, on_over=over))
            return
        from tutor.app.explorer.screen import ExplorerScreen

        async def stepped(evidence: Evidence) -> str | None:
            return await self.goals.stepped(lesson, lab, evidence)

        self._open_on_model(
            lambda: ExplorerScreen(self.engine, self.progress, lab, on_stepped=stepped)
        )

    def open_live_lab(
        self, name: str, lesson: Lesson | None = None, embedded: Lab | None = None
    ) -> None:
        """A lab of `tutor.labs`, where it was left in this session. `lesson` embeds it as
        `embedded`, with a task of its own and some of the goals."""
        from tutor.app.labs.screen import LabScreen
        from tutor.course.lesson import LiveGoal
        from tutor.labs.kit.registry import find

        lab = find(name)
        goals = embedded.goals if embedded else ()

        async def reached(now: Set[str]) -> str | None:
            return await self.goals.live(lab, now, lesson)

        self.push_screen(
            LabScreen(
                self.engine,
                lab,
                task=embedded.task if embedded else "",
                first=[goal.name for goal in goals if isinstance(goal, LiveGoal)],
                left=self.labs_left.get(name),
                keep=lambda left: self.labs_left.update({name: left}),
                reached=self.goals.kept(lab),
                on_reached=reached,
            )
        )

    def open_stepper(self) -> None:
        from tutor.app.explorer.screen import ExplorerScreen

        self._open_on_model(lambda: ExplorerScreen(self.engine, self.progress, mode="text"))

    def open_chat(self) -> None:
        from tutor.app.explorer.screen import ExplorerScreen

        self._open_on_model(lambda: ExplorerScreen(self.engine, self.progress, mode="chat"))

    def open_conversation(
        self,
        prompt: Sequence[Token],
        written: Sequence[Step],
        sampler: SamplerSettings,
        *,
        seed: int,
        at: int,
    ) -> None:
        """A conversation that a lab has had with the model, in the stepper: the tokens of its
        prompt, what was written after it, and which token of that is looked at."""
        from tutor.app.explorer.screen import ExplorerScreen
        from tutor.app.explorer.state import State

        model = self.engine.model
        if model is None:
            self.tell("The model is not ready yet.")
            return
        name = model.sha256 or model.name
        begin = State.of_conversation(name, prompt, written, sampler, seed=seed, at=at)
        self.push_screen(ExplorerScreen(self.engine, self.progress, begin=begin))

    def open_guessing_game(self) -> None:
        if self._no_guessing():
            return
        from tutor.app.explorer.guess.panel import GuessScreen

        self.push_screen(GuessScreen(self.engine, self.progress))

    def _no_guessing(self) -> bool:
        """The game scores every token of a text, and a server tells of a few: that is said."""
        if self.remote is not None:
            self.tell("The guessing game needs every token's probability: a model that runs here.")
        return self.remote is not None

    def _open_on_model(self, make: Callable[[], Screen[None]]) -> None:
        """A screen that asks the model at once: where that one is elsewhere, the learner is asked
        before."""
        if self.remote is None or self.engine.allowed(self.remote):
            self.push_screen(make())
        else:
            self.run_worker(self._open_if_agreed(self.remote, make), group="agreed", exclusive=True)

    async def _open_if_agreed(self, remote: RemoteModel, make: Callable[[], Screen[None]]) -> None:
        if await self.agreed(remote, _WHAT_STEPPING_SENDS):
            self.push_screen(make())
        else:
            self.tell("Nothing was sent. Without --model, tutor uses a model on this machine.")

    def open_labs(self) -> None:
        from tutor.app.labs.list import LabsScreen

        self.push_screen(LabsScreen())

    def open_progress(self) -> None:
        from tutor.app.progress.screen import ProgressScreen

        self.push_screen(ProgressScreen())

    @cached_property
    def asked(self) -> dict[str, Asked]:
        """The questions of the course, as reviews know them."""
        return asked(self.course)

    def review_queue(self) -> Queue:
        """What is due now."""
        limits = review.limits(self.progress.setting)
        return review.queue(self.progress.state(), self.asked, self.progress.clock(), limits)

    def open_review(self) -> None:
        from tutor.app.review.screen import ReviewScreen

        self.push_screen(ReviewScreen())

    def open_model(self) -> None:
        from tutor.app.model.screen import ModelScreen

        self.push_screen(ModelScreen())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where a key would be typed, it does nothing else, and nothing else is told of it."""
        typed = {"glossary": "v", "search": "/"}.get(action)
        if typed is not None and self.focused is not None:
            return not self.focused.check_consume_key(typed, typed)
        return True

    def action_glossary(self) -> None:
        from tutor.app.reader.glossary import GlossaryScreen

        self._open_or_return(GlossaryScreen)

    def action_search(self) -> None:
        from tutor.app.reader.search import SearchScreen

        self._open_or_return(SearchScreen)

    def _open_or_return(self, kind: type[TutorScreen]) -> None:
        """One screen of a kind is enough: where it is open further down, the way leads back."""
        found = next((screen for screen in self.screen_stack if isinstance(screen, kind)), None)
        if found is None:
            self.push_screen(kind())
        while found is not None and self.screen is not found:
            self.pop_screen()

    def action_help(self) -> None:
        from tutor.app.help import HelpScreen

        screen = self.screen
        if isinstance(screen, TutorScreen) and not isinstance(screen, HelpScreen):
            self.push_screen(HelpScreen(screen.place, screen.active_bindings.values()))


def make_app(
    model: str | None = None,
    learner: str = "me",
    *,
    course: Path | None = None,
    ascii_only: bool = False,
    start: Start = "home",
    lab: str | None = None,
    allowed: Allowed = EVERYTHING,
    idle_minutes: float | None = None,
) -> TutorApp:
    """The app on the course, progress and model of this machine: used by the command line.

    `model` is what `--model` takes; None means the default. `learner` says whose progress it is.
    `course` is a folder of lessons of somebody else; progress in it is kept apart.
    `ascii_only`: draw in ASCII, as is done anyway where the locale cannot write UTF-8.
    `idle_minutes` without a key end the program; None: it stays.
    Raises `TutorError` when progress or lessons cannot be opened at all.
    """
    from tutor import paths
    from tutor.app.terminal.idle import IdleLimit
    from tutor.course.catalogue import Opening
    from tutor.engine.client import Engine
    from tutor.learner.progress import Progress
    from tutor.models import installed
    from tutor.text import writes_utf8
    from tutor.vendors.catalogue import is_remote, remote_model

    remote = remote_model(model) if is_remote(model) else None

    default = model is None and not os.environ.get("TUTOR_MODEL")
    shared = _shared_engine() if default else None

    def missing() -> bool:
        return default and shared is None and installed.installed_default() is None

    opening = Opening(course)
    return TutorApp(
        opening.course(),
        Progress.open(paths.learner_folder(learner, course)),
        Engine(model, shared=shared),
        opening=opening,
        model_missing=missing,
        start=start,
        lab=lab,
        ascii_only=ascii_only or not writes_utf8(),
        remote=remote,
        allowed=allowed,
        idle=IdleLimit(60 * idle_minutes) if idle_minutes is not None else None,
    )


def _shared_engine() -> Path | None:
    """The socket of an engine that serves many on this machine."""
    if sys.platform == "win32":
        return None
    from tutor.engine.shared import address as place

    return place.find()
