"""The explorer over the whole terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.lines import BREAKPOINTS, Lines
from tutor.app.explorer.pane import ExplorerPane
from tutor.app.screens.base import TutorScreen
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tutor.app.explorer.state import Mode
    from tutor.course.goals import Evidence
    from tutor.course.lesson import Lab
    from tutor.engine.client import Engine
    from tutor.learner.progress import Progress


class Task(Lines):
    """What a lab asks for, wrapped."""

    DEFAULT_CSS = """
    Task { text-wrap: wrap; margin-bottom: 1; max-height: 3; }
    """


class ExplorerScreen(TutorScreen):
    """One `ExplorerPane`, with the task of its lab above it.

    `on_stepped` hears of every step; what it returns is said in the pane (that a lab is done).
    """

    VERTICAL_BREAKPOINTS = BREAKPOINTS
    DEFAULT_CSS = """
    ExplorerScreen.-low Rule.edge { display: none; }
    ExplorerScreen.-low Task { display: none; }
    """

    def __init__(
        self,
        engine: Engine,
        progress: Progress,
        lab: Lab | None = None,
        *,
        mode: Mode | None = None,
        on_stepped: Callable[[Evidence], str | None] | None = None,
    ) -> None:
        super().__init__()
        self._lab = lab
        self._on_stepped = on_stepped
        self._pane = ExplorerPane(engine, progress, lab, mode=mode)

    def compose_content(self) -> ComposeResult:
        if self._lab is not None:
            yield Task()
        yield self._pane

    def on_mount(self) -> None:
        if self._lab is not None:
            task = Content.styled(safe(self._lab.task), theme.ACT)
            self.query_one(Task).show([task])
        self.place = "lab" if self._lab else "stepper and chat"
        self._pane.focus()

    def on_explorer_pane_seed_changed(self, event: ExplorerPane.SeedChanged) -> None:
        self.aside = f"seed {event.seed}"

    def on_explorer_pane_stepped(self, event: ExplorerPane.Stepped) -> None:
        if self._on_stepped is not None:
            said = self._on_stepped(event.evidence)
            if said is not None:
                self._pane.say(said)
