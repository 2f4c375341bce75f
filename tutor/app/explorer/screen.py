"""The screen of the stepper and the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tutor.app.base_screen import TutorScreen
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.explorer.readout import ROUNDED
from tutor.app.widgets.figures import SIGNS
from tutor.app.widgets.inline import plain
from tutor.app.widgets.lab_card import ROOM, GoalLine, LabTask
from tutor.course import goals
from tutor.language import _
from tutor.lm.distribution import PLAIN, SamplerSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Set

    from textual.app import ComposeResult

    from tutor.app.explorer.document import Document, Mode
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab, Screen
    from tutor.engine.api import Engine
    from tutor.learner.background import BackgroundProgress
    from tutor.sharing.document import SharedXRay


class ExplorerScreen(TutorScreen):
    """A screen with an `ExplorerPane`. In a lab, the task and the next goal are above the pane.

    `page` is the lesson screen that embeds the lab, if any. Its title is the name of the lab.
    `begin` is a text to open first, `xray` is the x-ray that was open beside it, and `sampler`
    contains the settings of new texts. `on_stepped` is called after every step. If it returns a
    message, for example that the lab is done, the pane shows it. `reached` returns the names of the
    goals that have been reached.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "task", "goals", tooltip="Show the task and all goals."),
    ]
    explained = (SIGNS, ROUNDED)

    def __init__(
        self,
        engine: Engine,
        progress: BackgroundProgress,
        lab: Lab | None = None,
        *,
        page: Screen | None = None,
        mode: Mode | None = None,
        begin: Document | None = None,
        xray: SharedXRay | None = None,
        sampler: SamplerSettings = PLAIN,
        on_stepped: Callable[[Evidence], Awaitable[str | None]] | None = None,
        reached: Callable[[], Set[str]] = frozenset,
    ) -> None:
        super().__init__()
        self._lab = lab
        self._page = page
        self._begun_elsewhere = begin is not None
        self._on_stepped = on_stepped
        self._find_reached = reached
        self._reached = reached()
        self._news: tuple[str, ...] = ()
        """The names of the goals just reached. The learner's next change removes them."""
        self._news_at = 0
        """The number of the learner's changes at the time when the goals were reached."""
        self._goals_open = False
        self._pane = ExplorerPane(
            engine, progress, lab, mode=mode, begin=begin, xray=xray, sampler=sampler
        )

    def compose_content(self) -> ComposeResult:
        if self._lab is not None:
            lines = [
                GoalLine(goals.name(each), goals.description(each, self._lab))
                for each in self._lab.goals
            ]
            yield LabTask(self._lab.task, lines, rows=3, gap_from=ROOM, done=self._lab.done)
        yield self._pane

    def on_mount(self) -> None:
        self._show_goals()
        self.place = _("lab") if self._lab else _("stepper")
        if self._page is not None:
            self.place = _("lab · {title}").format(title=plain(self._page.title))
        self._pane.focus()

    @property
    def is_free(self) -> bool:
        """True if the text is the learner's own and was not opened from a lab."""
        return self._lab is None and not self._begun_elsewhere

    def show_mode(self, mode: Mode) -> None:
        """Switch to the text or to the conversation."""
        if self._pane.state.mode != mode:
            self._pane.action_mode(mode)

    def open_xray(self) -> None:
        """Open the x-ray as soon as the screen has been drawn and the model has answered."""
        self.call_after_refresh(self._pane.action_xray)

    def on_explorer_pane_seed_changed(self, event: ExplorerPane.SeedChanged) -> None:
        self.aside = "" if event.seed is None else _("seed {seed}").format(seed=event.seed)

    def on_explorer_pane_mode_changed(self, event: ExplorerPane.ModeChanged) -> None:
        if self._lab is None and self._page is None:
            self.place = _("chat") if event.mode == "chat" else _("stepper")

    def on_explorer_pane_stepped(self, event: ExplorerPane.Stepped) -> None:
        if self._on_stepped is not None:
            self.run_worker(self._say(self._on_stepped(event.evidence)), group="said")
        now = self._find_reached()
        if self._lab is not None and now != self._reached:
            names = (goals.name(goal) for goal in self._lab.goals)
            self._news += tuple(name for name in names if name in now - self._reached)
            self._reached, self._news_at = now, self._pane.acts
            self._show_goals()

    def on_explorer_pane_acted(self, event: ExplorerPane.Acted) -> None:
        if self._news and event.number > self._news_at:
            self._news = ()
            self._show_goals()

    def _show_goals(self) -> None:
        for task in self.walk_children(LabTask):
            task.show_goals(self._reached, news=self._news, open_=self._goals_open)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._lab is not None if action == "task" else True

    def action_task(self) -> None:
        if self._goals_open and self.query_one(LabTask).next_page():
            return
        self._goals_open = not self._goals_open
        self._show_goals()

    def action_back(self) -> None:
        """Close the list of goals if it is open. Otherwise, leave the screen."""
        if self._goals_open:
            self._goals_open = False
            self._show_goals()
        else:
            super().action_back()

    async def _say(self, coming: Awaitable[str | None]) -> None:
        said = await coming
        if said is not None:
            self._pane.say(plain(said))
