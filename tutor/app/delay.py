"""Call a function after a delay, however busy the machine is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from collections.abc import Callable

    from textual.message_pump import MessagePump


def call_after(seconds: float, node: MessagePump, callback: Callable[[], object]) -> TimerHandle:
    """Have `node` call a function after a delay, unless it has been removed by then.

    Textual's `set_timer` doesn't promise the call: its `Timer` skips a call whose time is already
    past, which happens if the machine stops the process for the length of the delay while the timer
    starts. The timer of a single call then never fires.

    Returns:
        A handle that cancels the call, unless it is already due.
    """
    return asyncio.get_running_loop().call_later(seconds, node.call_later, callback)
