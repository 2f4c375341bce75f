"""Leaving when nobody is there: a login that was forgotten, or whose client is frozen, would keep
its place for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tutor.app.base_screen import TutorScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import ActiveBinding

WARNED_BEFORE = 60.0
"""Seconds before the end that whoever may be there is asked; for a short limit, half of it."""


class IdleLimit:
    """Knows when the last key was pressed. `seconds` without one are the limit.

    `clock` tells seconds that never go back, `sleep` waits for so many of them.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self.warned_after = max(seconds - WARNED_BEFORE, seconds / 2)
        self.over = False
        """Whether the limit was reached."""
        self._clock = clock
        self._sleep = sleep
        self._last = clock()

    def pressed(self) -> None:
        """A key was pressed, just now. From any thread."""
        self._last = self._clock()

    def watch(self, warn: Callable[[], object]) -> None:
        """Returns when the limit is reached: for a thread of its own, which no output that waits
        can hold up. Calls `warn` ahead of that, once for each time that no key is pressed."""
        warned_of: float | None = None
        while (idle := self._clock() - self._last) < self.seconds:
            if idle < self.warned_after:
                self._sleep(self.warned_after - idle)
                continue
            if warned_of != self._last:
                warned_of = self._last
                warn()
            self._sleep(self.seconds - idle)
        self.over = True


def in_words(seconds: float) -> str:
    """For a sentence: `30 minutes`, `1 minute`, `90 seconds`."""
    whole = seconds >= 60 and seconds % 60 == 0
    number, unit = (seconds / 60, "minute") if whole else (seconds, "second")
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"


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
