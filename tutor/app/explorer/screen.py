"""The screen of the stepper and chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tutor.app import theme
from tutor.app.base_screen import TutorScreen
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.widgets.prose import plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from tutor.app.explorer.document import Document, Mode
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab
    from tutor.engine.api import Engine
    from tutor.learner.background import BackgroundProgress


class ExplorerScreen(TutorScreen):
    """A screen with an `ExplorerPane` and, above it, the task of its lab.

    `begin` is a text to open first. `on_stepped` is called after every step. If it returns a
    message, for example that a lab is done, the pane shows the message.
    """

    DEFAULT_CSS = """
    ExplorerScreen #task { height: auto; margin-bottom: 1; max-height: 3; }
    ExplorerScreen.-low #task { display: none; }
    """

    def __init__(
        self,
        engine: Engine,
        progress: BackgroundProgress,
        lab: Lab | None = None,
        *,
        mode: Mode | None = None,
        begin: Document | None = None,
        on_stepped: Callable[[Evidence], Awaitable[str | None]] | None = None,
    ) -> None:
        super().__init__()
        self._lab = lab
        self._on_stepped = on_stepped
        self._pane = ExplorerPane(engine, progress, lab, mode=mode, begin=begin)

    def compose_content(self) -> ComposeResult:
        if self._lab is not None:
            yield Static(Content.styled(plain(self._lab.task), theme.ACT), id="task")
        yield self._pane

    def on_mount(self) -> None:
        self.place = "lab" if self._lab else "stepper and chat"
        self._pane.focus()

    def on_explorer_pane_seed_changed(self, event: ExplorerPane.SeedChanged) -> None:
        self.aside = f"seed {event.seed}"

    def on_explorer_pane_stepped(self, event: ExplorerPane.Stepped) -> None:
        if self._on_stepped is not None:
            self.run_worker(self._say(self._on_stepped(event.evidence)), group="said")

    async def _say(self, coming: Awaitable[str | None]) -> None:
        said = await coming
        if said is not None:
            self._pane.say(plain(said))
