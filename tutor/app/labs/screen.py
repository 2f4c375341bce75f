"""The screen on which any lab runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.course_screen import CourseScreen
from tutor.app.delay import call_after
from tutor.app.labs.editor import LabEditor
from tutor.app.labs.side import LabSide
from tutor.app.widgets.copyable import Copy
from tutor.app.widgets.figures import SIGNS
from tutor.app.widgets.inline import plain
from tutor.app.widgets.lab_card import LabTask, goals_of
from tutor.app.widgets.prompt_editor import PromptEditor
from tutor.engine.api import EngineState
from tutor.errors import TutorError
from tutor.labs.kit import registry
from tutor.labs.kit.runner import STOPPED, LabRunner, Left
from tutor.labs.kit.view import LabView
from tutor.language import _

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence, Set

    from textual.app import ComposeResult
    from textual.worker import Worker

    from tutor.allowed import Allowed
    from tutor.app.services import Navigation, Services
    from tutor.course.lesson import Screen
    from tutor.labs.kit.registry import AnyLab
    from tutor.labs.kit.remote import Sending
    from tutor.labs.kit.view import TextField

BUSY_AFTER = 0.4
"""The time, in seconds, before the screen shows that the model is working.

If the time were shorter, the note would flicker with every key press.
"""

_PANELS = 160
"""The minimum width, in columns, to show the task and all goals next to the lab."""


class LabScreen(CourseScreen):
    """A screen with a lab's next goal, its view and, if the lab asks for text, an editor.

    `first` contains the names of the goals that a lesson sets, which are shown first. `left` is the
    state in which the learner left the lab, and `keep` is called with every new state. `reached`
    contains the names of the goals reached earlier. `page` is the lesson screen with the lab, if
    any. `on_reached` is called with the names of goals just reached, and can return a message.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "task", "goals", tooltip="Show the task and all goals."),
        Binding("y", "again", "retry", tooltip="Retry the failed request."),
        Binding("u", "undo", "undo", tooltip="Undo the reset, or the last removal."),
        Binding("r", "stop", "stop", tooltip="Stop the model, and keep the results so far."),
        Binding("r", "again('stopped')", "continue", tooltip="Continue what you stopped."),
        Binding("z", "reset", "reset", tooltip="Reset the lab to its initial state."),
    ]
    DEFAULT_CSS = """
    LabScreen.-panels LabSide { dock: right; width: 48; height: 1fr; }
    LabScreen.-panels LabSide.-reading { width: 64; }
    LabScreen.-panels LabSide.-reading #lesson { display: block; }
    LabScreen.-panels LabTask { height: 1fr; margin: 0; }
    """
    explained = (SIGNS,)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_PANELS, "-panels")]  # noqa: RUF012 (Textual's type)

    def __init__(
        self,
        services: Services,
        navigation: Navigation,
        lab: AnyLab,
        *,
        task: str = "",
        first: Sequence[str] = (),
        left: Left | None = None,
        keep: Callable[[Left], None] = lambda _: None,
        reached: Set[str] = frozenset(),
        page: Screen | None = None,
        on_reached: Callable[[Set[str]], Awaitable[str | None]] | None = None,
    ) -> None:
        super().__init__(services, navigation)
        self.lab = lab
        self._wanted = task or lab.task
        self._first = first
        self._keep = keep
        self._page = page
        self._reached = frozenset(reached)
        self._news: tuple[str, ...] = ()
        """The names of the goals just reached. The learner's next change removes them."""
        self._said: str | None = None
        """The message about reached goals. The learner's next change removes it, too."""
        self._on_reached = on_reached
        self._goals_open = False
        self._refusal: TutorError | None = None
        """An error about the text in the editor. Responses of the engine do not remove it."""
        self._busy_timer: TimerHandle | None = None
        self._begun = False
        """Whether the view has been created. The engine's state can change before that."""
        self._runner = LabRunner(lab, services.engine, left, self._work, self._changed)

    def _work(self, task: Callable[[], Coroutine[Any, Any, None]]) -> Worker[None]:
        return self.run_worker(task)

    def compose_content(self) -> ComposeResult:
        goals = goals_of(self.lab, self._first)
        task = LabTask(self._wanted, goals, about=self.lab.about, own=self._first)
        yield LabSide(task, self._page)
        kind: type[LabView] = registry.load_part(self.lab.name, "view").VIEW
        self.first_keys = kind.FIRST_KEYS
        view = kind().add_class("panel")
        view.border_title = Content(self.lab.title)
        yield view
        yield LabEditor(self._runner, self._keep)

    def on_mount(self) -> None:
        self.place = _("lab · {title}").format(title=self.lab.title)
        self.view.focus()
        self._begun = True
        self._runner.begin()
        if self._first and self._reached:
            # The lesson also counts goals that were reached before it embedded the lab.
            self._report(frozenset())

    def stop_receiving(self) -> None:
        self._runner.close()

    @property
    def view(self) -> LabView:
        return self.query_one("#view", LabView)

    @property
    def state(self) -> Any:
        """The state of the lab."""
        return self._runner.state

    @property
    def busy(self) -> bool:
        """True while the lab waits for a response from the engine."""
        return self._runner.busy

    def _changed(self) -> None:
        if not self._begun:
            return
        self._keep(self._runner.left)
        self.view.show(self._runner.state)
        runner = self._runner
        self.tell(self._refusal or runner.error or runner.note or self._said_stopped or self._said)
        now = self.lab.reached(self._runner.state)
        if now - self._reached:
            self._news += tuple(
                each.name for each in self.lab.goals if each.name in now - self._reached
            )
            self._reached |= now
            self._report(now)
        self._show_task()
        self._show_busy()

    @property
    def _said_stopped(self) -> str | None:
        """The notice after a request was stopped. It mentions `r` unless the view uses that key."""
        if not self._runner.stopped:
            return None
        key = self.active_bindings.get("r")
        return STOPPED if key is None or key.node is self else _("Stopped.")

    def _report(self, reached: Set[str]) -> None:
        if self._on_reached is not None:
            self.run_worker(self._say(self._on_reached(reached)), group="said")

    async def _say(self, coming: Awaitable[str | None]) -> None:
        if (said := await coming) is not None:
            self._said = plain(said)
            self.tell(self._said)

    def _show_task(self) -> None:
        task = self.query_one(LabTask)
        open_ = self._goals_open or self._beside
        task.show_goals(self._reached, news=self._news, open_=open_)

    @property
    def _beside(self) -> bool:
        """True if the screen is wide enough to show the task and all goals next to the lab."""
        return self.app.size.width >= _PANELS

    async def on_resize(self) -> None:
        if self._begun:
            self._show_task()
            await self.query_one(LabSide).fit(self.app.size)

    def action_task(self) -> None:
        if self._goals_open and self.query_one(LabTask).next_page():
            return
        self._goals_open = not self._goals_open
        self._show_task()

    def action_back(self) -> None:
        """Close the list of goals if it is open. Otherwise, leave the lab."""
        if self._goals_open and not self._beside:
            self._goals_open = False
            self._show_task()
        else:
            super().action_back()

    def _show_busy(self) -> None:
        if not self._runner.busy:
            self.aside = ""
            if self._busy_timer is not None:
                self._busy_timer.cancel()
                self._busy_timer = None
        elif self._busy_timer is None and not self.aside:
            self._busy_timer = call_after(BUSY_AFTER, self, self._say_busy)

    def _say_busy(self) -> None:
        self._busy_timer = None
        if self._runner.busy:
            self.aside = _("working…")
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "task":
                return not self._beside
            case "again" if "stopped" in parameters:
                return self._runner.stopped
            case "again":
                return self._runner.can_ask_again
            case "stop":
                ready = self.services.engine.state is EngineState.READY
                return ready and self._runner.busy and bool(self.aside)
            case "undo":
                return self._runner.can_undo
        return True

    def action_again(self, _: str = "") -> None:
        self._runner.error = self._runner.note = None
        self._runner.begin()

    def action_stop(self) -> None:
        self._runner.stop()

    def act(self, action: Any) -> None:
        """Apply an action, after asking for consent if it sends text to remote models."""
        if sends := self.lab.sends(self.state, action):
            asking = self._act_if_agreed(action, sends)
            self.run_worker(asking, group="agreed", exclusive=True)
        else:
            self._act(action)

    def say(self, note: str) -> None:
        """Show a note until the next action."""
        self._runner.say(note)

    async def _act_if_agreed(self, action: Any, sends: Sequence[Sending]) -> None:
        refused = [model for model, what in sends if not await self.services.agreed(model, what)]
        instead = self.lab.declined(self.state, action, refused) if refused else action
        if instead is None:
            self.tell(_("Nothing was sent."))
        else:
            self._act(instead)

    def _act(self, action: Any) -> None:
        """Apply an action. If it changes the state, earlier goals are no longer announced."""
        before, news, said = self._runner.state, self._news, self._said
        self._news, self._said = (), None
        self._runner.act(action)
        if self._runner.state == before and not self._news:
            self._news, self._said = news, said
            self._show_task()

    def copies(self) -> Iterator[Copy]:
        yield Copy(_("the command for this lab"), f"tutor lab {self.lab.name}")

    def reset(self) -> None:
        self._runner.reset()

    action_reset = reset

    def action_undo(self) -> None:
        self._runner.undo()

    def follow(self, href: str) -> None:
        """Open the target of a link in a lesson, on top of the lab."""
        self.navigation.open_link(href)

    def open_live_lab(self, name: str) -> None:
        self.navigation.open_live_lab(name)

    @property
    def allowed(self) -> Allowed:
        return self.services.allowed

    def on_lab_view_stepper(self, event: LabView.Stepper) -> None:
        self.navigation.open_conversation(event.begin)

    def have_written(self, field: TextField) -> None:
        """Open the editor, so that the learner can write a text."""
        self._forget_refusal()
        self.query_one(LabEditor).open(field)
        self._writing(True)

    def _forget_refusal(self) -> None:
        """Remove the error about the previous text, but not one that `y` can retry."""
        self._refusal = self._said = None
        if not self._runner.can_ask_again:
            self._runner.error = None
            self.tell(None)

    def on_prompt_editor_left(self) -> None:
        self._forget_refusal()
        self._writing(False)
        if kept := self.query_one(LabEditor).kept:
            self.tell(kept)

    def on_prompt_editor_accepted(self, event: PromptEditor.Accepted) -> None:
        editor = self.query_one(LabEditor)
        try:
            action = editor.of.then(event.text)
            # An error keeps the editor open, so that the learner can correct the text.
            self.lab.act(self.state, action)
        except TutorError as error:
            self._refusal = error
            self.tell(error)
            return
        self._refusal = None
        editor.remember(event.text)
        self._writing(False)
        self.act(action)

    def _writing(self, on: bool) -> None:
        """Open or close the editor immediately, so that keys typed ahead reach the right widget."""
        editor = self.query_one(LabEditor)
        editor.display = on
        self.set_focus(editor.field if on else self.view)
