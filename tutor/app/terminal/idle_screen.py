"""Asks whether anybody is there, before a login that nobody uses ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tutor.app.base_screen import TutorScreen
from tutor.app.terminal.idle import IdleLimit, in_words

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import ActiveBinding


class IdleScreen(TutorScreen):
    """Any key takes it away (`TutorApp.on_event`), and does nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "stay", key_display="any key", tooltip="Stay."),
    ]

    def __init__(self, limit: IdleLimit) -> None:
        super().__init__()
        self._limit = limit

    def compose_content(self) -> ComposeResult:
        left = self._limit.seconds - self._limit.warned_after
        yield Static(
            Content.assemble(
                ("Are you still there?", "bold"),
                f"\n\nNo key was pressed for {in_words(self._limit.warned_after)}. "
                f"In {in_words(left)} the tutor saves where you are, and ends.",
            ),
            id="asked",
        )

    def on_mount(self) -> None:
        self.place = "still there?"

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """No other key means anything here."""
        return {key: each for key, each in super().active_bindings.items() if each.node is self}
