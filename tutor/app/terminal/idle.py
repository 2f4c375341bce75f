"""End the app after a long time without a key press.

Otherwise, a forgotten login or a frozen client would use the machine's resources forever.
"""

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
"""The time, in seconds, between the warning and the end of the app.

If half the limit is shorter, that time is used instead.
"""


class IdleLimit:
    """A limit of `seconds` without a key press.

    `clock` returns monotonic seconds, and `sleep` waits for a number of seconds.
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
        """Whether the limit has been reached."""
        self._clock = clock
        self._sleep = sleep
        self._last = clock()

    def pressed(self) -> None:
        """Record that a key has just been pressed. Any thread may call this."""
        self._last = self._clock()

    def watch(self, warn: Callable[[], object]) -> None:
        """Wait until the limit is reached.

        Shortly before that, `warn` is called, once per idle period. Run this in a separate thread,
        which blocked output cannot delay.
        """
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
    """Return a duration in words, such as `30 minutes`, `1 minute` or `90 seconds`."""
    whole = seconds >= 60 and seconds % 60 == 0
    number, unit = (seconds / 60, "minute") if whole else (seconds, "second")
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"


class IdleScreen(TutorScreen):
    """A screen that asks whether the learner is still there.

    Any key closes the screen and has no other effect (see `TutorApp.on_event`).
    """

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
                f"\n\nYou have not pressed a key for {in_words(self._limit.warned_after)}. "
                f"In {in_words(left)}, tutor will save your place and close.",
            ),
            id="asked",
        )

    def on_mount(self) -> None:
        self.place = "still there?"

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The bindings of this screen only, without the app's bindings."""
        return {key: each for key, each in super().active_bindings.items() if each.node is self}
