"""The app, and the objects that exist for as long as it runs.

This module does not import torch. The engine process starts only after the first screen has been
painted.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent, Key
from textual.reactive import reactive

from tutor.allowed import EVERYTHING, Allowed
from tutor.app.background.fetch import fetch_model
from tutor.app.background.goal_keeper import GoalKeeper
from tutor.app.background.keeper import ModelKeeper
from tutor.app.background.settings_keeper import SettingsKeeper
from tutor.app.background.status import ModelStatus
from tutor.app.base_screen import TutorScreen
from tutor.app.home.background_load import BackgroundLoad
from tutor.app.home.screen import HomeScreen
from tutor.app.keymap import keymap, problems_of, remap, types_text
from tutor.app.labs.comparison import open_comparison
from tutor.app.model.consent import agreed
from tutor.app.navigator import Navigator
from tutor.app.saving_app import SavingApp
from tutor.app.services import Services
from tutor.app.terminal.background_color import BACKGROUND, BackgroundReported
from tutor.app.terminal.late_keys import LateKeys
from tutor.app.terminal.line_filters import AsciiOnly, Colorless, WithoutDrawings
from tutor.app.typing_ahead import handled
from tutor.app.widgets.clicks import ClickedKey
from tutor.labs.kit import registry
from tutor.language import _
from tutor.settings.schema import problems_in_one
from tutor.study.newcomer import is_newcomer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.css.styles import RulesMap
    from textual.dom import DOMNode
    from textual.filter import LineFilter
    from textual.screen import Screen
    from textual.widget import Widget
    from textual.worker import Worker

    from tutor.app.background.keeper import Fetch
    from tutor.app.explorer.pane import ExplorerPane
    from tutor.app.explorer.share.opening import Restored
    from tutor.app.terminal.idle import IdleLimit
    from tutor.course.catalogue import Course, Opening
    from tutor.engine.api import Engine
    from tutor.labs.kit.registry import AnyLab
    from tutor.learner.progress import Progress
    from tutor.vendors.catalogue import RemoteModel

Start = Literal["home", "review"]
"""The name of the screen to open when the app starts. A review opens on top of the course map.

`TutorApp` can also start with a text, which it opens in the stepper on top of the course map.
"""


@dataclass(frozen=True)
class Patience:
    """The maximum number of seconds to spend saving progress before the app exits.

    `quit` applies when the learner quits. This limit is longer than the time that a save waits for
    the file lock. `unmount` applies when the terminal has disconnected.
    """

    quit: float = 6.0
    unmount: float = 1.5


PATIENCE = Patience()


class TutorApp(SavingApp):
    """The Textual app, with the course and the progress of one learner."""

    TITLE = "tutor"
    CSS_PATH = "main.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "glossary", "glossary", tooltip="Open the course glossary."),
        Binding("slash", "search", "search", tooltip="Search the lessons, glossary and questions."),
        Binding("question_mark", "help", "help", tooltip="Explain every key on this screen."),
        Binding("ctrl+q", "quit", show=False, priority=True, system=True),
        Binding("ctrl+c", "interrupt", show=False, priority=True, system=True),
        Binding(
            "ctrl+o",
            "copy",
            "copy",
            show=False,
            tooltip="Copy the text, the selected row or the answer.",
        ),
        Binding(
            "ctrl+p",
            "command_palette",
            "commands",
            show=False,
            tooltip="Find an action, screen, lesson, lab or term by its name.",
        ),
        Binding("ctrl+l", "redraw", show=False, priority=True, system=True),
    ]

    model_status: reactive[ModelStatus] = reactive(ModelStatus())
    """The state of the model, for the status line of every screen."""

    def __init__(
        self,
        course: Course,
        progress: Progress,
        engine: Engine,
        *,
        opening: Opening | None = None,
        model_missing: Callable[[], bool] = lambda: False,
        start: Start | Restored = "home",
        lab: str | None = None,
        tour: bool = False,
        ascii_only: bool = False,
        remote: RemoteModel | None = None,
        allowed: Allowed = EVERYTHING,
        idle: IdleLimit | None = None,
        patience: Patience = PATIENCE,
        fetch: Fetch = fetch_model,
        find_lab: Callable[[str], AnyLab] = registry.find,
        settings: SettingsKeeper | None = None,
    ) -> None:
        """Create the app.

        `opening` reads the rest of `course` if only the outline has been read so far.
        `model_missing` returns True if the default model is needed but not installed; the app then
        downloads it in the background. `lab` is the name of a lab to open first, on top of the
        course map. With `tour`, a new learner who starts on the course map sees the tour. With
        `ascii_only`, the app draws only ASCII characters. `remote` is the remote model that the
        engine uses, if any. `allowed` says what learners may do on this machine, `idle` measures
        the time since the last key press, and `find_lab` returns the lab with a given name.
        `settings` contains the user's settings.
        """
        super().__init__(progress)
        self._patience = patience
        self._opening = opening
        self._background_load = BackgroundLoad(opening) if opening else None
        self._start, self._lab = start, lab
        self._tour = tour and start == "home" and lab is None
        self.engine, self.idle = engine, idle
        self.keeper = ModelKeeper(
            engine,
            self._model_changed,
            missing=model_missing,
            may_fetch=allowed.fetching,
            fetch=fetch,
        )
        self._settings = settings or SettingsKeeper()
        self._settings.on_change = self._setting_changed
        self.services = self._services(course, remote, allowed, find_lab)
        self.navigator = Navigator(self, self.services)
        self.runs_programs, self.saves_files = allowed.other_programs, allowed.saving_files
        self._late_keys = LateKeys()
        self.animation_level = "none"
        self.screen_reader = self._settings.current.screen_reader
        self._set_colors(ascii_only=ascii_only)
        self._keymap_in_use = keymap(self._settings.current.keys)
        if self._keymap_in_use:
            remap(self, self._keymap_in_use)

    def _services(
        self,
        course: Course,
        remote: RemoteModel | None,
        allowed: Allowed,
        find_lab: Callable[[str], AnyLab],
    ) -> Services:
        return Services(
            course=course,
            progress=self.progress,
            engine=self.engine,
            model=self.keeper,
            goals=GoalKeeper(self.progress, lambda each: self.services.course.lesson(each)),
            agreed=partial(agreed, self.engine, remote, allowed, self.push_screen),
            remote=remote,
            allowed=allowed,
            find_lab=find_lab,
            settings=self._settings,
        )

    def _set_colors(self, *, ascii_only: bool) -> None:
        self._line_filters: list[LineFilter] = [Colorless()] if self.no_color else []
        """The app's own line filters. If the list is not empty, it replaces Textual's filters."""
        wanted = {WithoutDrawings: self.screen_reader, AsciiOnly: ascii_only}
        for each in (kind for kind, on in wanted.items() if on):
            self._line_filters = [*self.get_line_filters(), each()]
        self.light_background = self.progress.setting(BACKGROUND) == "light"
        self.wanted_theme = self._settings.current.theme
        self.choose_theme()

    def _setting_changed(self, name: str) -> None:
        """Apply a setting as soon as the learner has changed it."""
        if name == "theme":
            self.wanted_theme = self._settings.current.theme
            self.choose_theme()

    def on_background_reported(self, event: BackgroundReported) -> None:
        """Choose colors for the terminal's background, and save whether it is light or dark."""
        if event.light != self.light_background:
            self.light_background = event.light
            self.progress.save_setting(BACKGROUND, "light" if event.light else "dark")
            self.choose_theme()

    def _register(
        self,
        parent: DOMNode,
        *widgets: Widget,
        before: int | None = None,
        after: int | None = None,
        cache: dict[tuple[Any, ...], RulesMap] | None = None,
    ) -> list[Widget]:
        if self._keymap_in_use:
            for widget in widgets:
                remap(widget, self._keymap_in_use)
        return super()._register(parent, *widgets, before=before, after=after, cache=cache)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return self._line_filters or super().get_line_filters()

    def get_default_screen(self) -> Screen[None]:
        return HomeScreen(self.services, self.navigator)

    async def on_event(self, event: Event) -> None:
        if isinstance(event, InputEvent) and not self.screen_stack:  # the app is exiting
            return
        if self.says_there(event):
            return
        if isinstance(event, Key) and not event.is_forwarded:
            if self._background_load is not None:
                self._background_load.key_pressed()
            if not isinstance(event, ClickedKey):
                self._late_keys.sent(event, self.focused or self.screen)
        came_back = event if isinstance(event, Key) and event.is_forwarded else None
        await super().on_event(event)
        if came_back is not None:
            handled(came_back)

    async def _on_key(self, event: Key) -> None:
        """Send an unhandled key to the focused widget, unless that widget has already received it.

        This happens before the app's own bindings handle the key (see `LateKeys`).
        """
        if self._late_keys.redirected(event, self.focused or self.screen):
            event.prevent_default()

    def on_explorer_pane_compare(self, event: ExplorerPane.Compare) -> None:
        open_comparison(self, self.navigator, event)

    def on_load(self) -> None:
        """Turn off eager tasks, so that no task runs before its creator has stored it.

        From Python 3.12 on, Textual makes asyncio run each task as soon as it is created. A task
        could then end before its creator has stored it, and would seem to run forever.
        """
        asyncio.get_running_loop().set_task_factory(None)

    def on_mount(self) -> None:
        if self._tour and not self.progress.notices and is_newcomer(self.progress.state()):
            self.navigator.open_place("tour")

    def on_ready(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start the engine and read the rest of the course. Called after the first paint."""
        if not gc.isenabled():  # `tutor.cli.app` disables garbage collection to start faster
            gc.freeze()  # from now on, the collector skips the objects that exist
            gc.enable()
        remote = self.services.remote
        if remote is not None and remote.here:
            self.engine.allow(remote)  # this also permits the engine to send the server's API key
        self.run_worker(self.keeper.start(), name="model")
        self.run_worker(self._read_on(), name="course")
        self.progress.check()
        self.ask_background()
        self.run_worker(self._tell_of_settings(), name="settings")
        if self._start == "review":
            self.navigator.open_place("review")
        elif self._start != "home":
            self.navigator.open_text(*self._start)
        if self._lab is not None:
            self.navigator.open_live_lab(self._lab)

    async def _tell_of_settings(self) -> None:
        """Collect the problems with the settings, and show them in one notice on the course map."""
        effective = self._settings.effective
        problems = list(effective.problems)
        if effective.settings.keys:  # without `keys`, skip the check, which imports every screen
            problems += await asyncio.to_thread(problems_of, effective.settings.keys)
        if problems:
            self._settings.notice = problems_in_one(problems)
            self._tell_on_map()

    async def _read_on(self) -> None:
        """Read the rest of the course. Show any errors on the course map."""
        if self._opening is None or self._background_load is None:
            return
        await self._background_load.run()
        problems, self._opening = self._opening.course().problems, None
        course = self.services.course
        if len(problems) > len(course.problems):
            course.problems = problems
            self._tell_on_map()

    def _tell_on_map(self) -> None:
        """Show all known problems on the course map."""
        for screen in self.screen_stack:
            if isinstance(screen, HomeScreen):
                screen.tell_problems()

    async def on_unmount(self) -> None:
        self._leaving = True
        self.navigator.labs.save()
        await self.keeper.stop()
        await asyncio.to_thread(self.progress.drain, self._patience.unmount)

    def _model_changed(self, status: ModelStatus) -> None:
        before, self.model_status = self.model_status, status
        if status.failure is not None and status.failure is not before.failure:
            if isinstance(self.screen, HomeScreen):
                self.screen.tell_problems()  # keeps what the map has told before
            else:
                self.navigator.tell(status.failure)
        elif status.ready and before.failure is not None:
            self.navigator.tell(_("The model is ready again."))

    async def action_quit(self) -> None:
        """Start saving, and quit when everything is saved. Until then, the app responds to keys."""
        self._start_to_leave()

    def _start_to_leave(self) -> Worker[None]:
        return self.run_worker(self._leave, name="leave", exclusive=True, group="leave")

    async def _leave(self) -> None:
        self.navigator.labs.save()
        if self.progress.unsaved:
            self.navigator.tell(_("Saving your progress before quitting."))
            self._leaving = True
            await asyncio.to_thread(self.progress.drain, self._patience.quit)
        self.exit()

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Show a URL as text. The app never opens a URL, not even after a mouse click."""
        self.navigator.tell(_("This link leads outside the course: {url}").format(url=url))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False if the screen does not offer the action, or a text field takes its keys."""
        if isinstance(self.screen, TutorScreen) and not self.screen.offers(action):
            return False
        return self.focused is None or not types_text(self._bindings, action, self.focused)

    def action_glossary(self) -> None:
        self.navigator.open_place("glossary")

    def action_search(self) -> None:
        self.navigator.open_place("search")

    def action_command_palette(self) -> None:
        self.navigator.open_palette()

    def action_help(self) -> None:
        self.navigator.open_help()
