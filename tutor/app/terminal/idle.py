"""Exit the app after a long time without a key press.

Otherwise, a forgotten login or a frozen client would use the machine's resources forever.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.base_screen import TutorScreen
from tutor.app.widgets.static import Static
from tutor.language import _, ngettext

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import ActiveBinding

WARNED_BEFORE = 60.0
"""The time, in seconds, between the warning and the end of the session.

If half of the limit is shorter than this, the warning comes after half of the limit.
"""


class IdleLimit:
    """A limit on the time without a key press, in seconds.

    `clock` returns the time in seconds on a monotonic clock, and `sleep` waits for a number of
    seconds.
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
        """Reset the idle timer, because a key was pressed. Any thread may call this."""
        self._last = self._clock()

    @property
    def close(self) -> bool:
        """True if the limit will be reached soon, so that a warning is not out of date."""
        return self._clock() - self._last >= self.warned_after

    def watch(
        self,
        warn: Callable[[], object],
        in_editor: Callable[[], float | None] = lambda: None,
    ) -> None:
        """Wait until the limit is reached.

        Shortly before that, `warn` is called. It is called again only after another key press. Run
        this method in a separate thread, so that blocked output cannot delay it.

        `in_editor` returns the time, in seconds, since another program such as an editor last read
        a key from the terminal, or None if no other program does.
        """
        warned_of: float | None = None
        while (idle := self._idle(in_editor)) < self.seconds:
            if idle < self.warned_after:
                self._sleep(self.warned_after - idle)
                continue
            if warned_of != self._last:
                warned_of = self._last
                warn()
            self._sleep(self.seconds - idle)
        self.over = True

    def _idle(self, in_editor: Callable[[], float | None]) -> float:
        """Return the time since the last key press, in this or in another program."""
        read = in_editor()
        if read is not None:
            self._last = max(self._last, self._clock() - read)
        return self._clock() - self._last


def in_words(seconds: float) -> str:
    """Return a duration in words, such as `30 minutes`, `1 minute` or `90 seconds`."""
    whole = seconds >= 60 and seconds % 60 == 0
    if whole:
        number = seconds / 60
        said = ngettext("{count:g} minute", "{count:g} minutes", round(number))
        return said.format(count=number)
    said = ngettext("{count:g} second", "{count:g} seconds", 1 if seconds == 1 else 2)
    return said.format(count=seconds)


class IdleScreen(TutorScreen):
    """A screen that asks whether the learner is still there.

    Any key closes the screen and has no other effect (see `IdleApp`).
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
                (_("Are you still there?"), "bold"),
                _(
                    "\n\nYou have not pressed a key for {in_words}. "
                    "In {in_words2}, tutor will save your place and close."
                ).format(in_words=in_words(self._limit.warned_after), in_words2=in_words(left)),
            ),
            id="asked",
        )

    def on_mount(self) -> None:
        self.place = _("still there?")

    def on_screen_resume(self) -> None:
        """Close if the learner has pressed a key on another screen that covered this one."""
        if self.is_current and not self._limit.close:
            self.app.pop_screen()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The bindings of this screen only, without the app's bindings."""
        return {key: each for key, each in super().active_bindings.items() if each.node is self}
