"""Call a function after a delay, however busy the machine is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.app import App

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from collections.abc import Callable

    from textual.message_pump import MessagePump
    from textual.timer import Timer, TimerCallback


def call_after(seconds: float, node: MessagePump, callback: Callable[[], object]) -> TimerHandle:
    """Have `node` call a function after a delay, unless it has been removed by then.

    Textual's `set_timer` doesn't promise the call: its `Timer` skips a call whose time is already
    past, which happens if the machine stops the process for the length of the delay while the timer
    starts. The timer of a single call then never fires.

    Returns:
        A handle that cancels the call, unless it is already due.
    """
    return asyncio.get_running_loop().call_later(seconds, node.call_later, callback)


class PunctualApp(App[None]):
    """An app whose own timers always fire.

    Textual waits for one of them before it handles a resize, and handles no later one until that
    timer has fired.
    """

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        """Call a function once after a delay, even if the delay is over before the timer starts."""
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False
        return timer
