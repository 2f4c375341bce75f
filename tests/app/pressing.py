"""Press keys, and wait until the app has nothing left to do.

`Pilot.press` and `Pilot.pause` wait by the clock until the process seems idle. That takes several
times 20 ms for each key, and is too short when the machine is busy with something else. The
functions here check whether the app still has anything to do.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from typing import TYPE_CHECKING, Any

from textual.events import Key
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump
    from textual.pilot import Pilot

WORK = 0.004
"""Seconds to wait for work that shows in no queue: in a thread, or when a timer is due."""
LIMIT = 1.0
"""Seconds of CPU time after which the wait ends, even if the app is still busy.

A limit by the clock would end the wait too early when other processes use the processors.
"""
STUCK = 30.0
"""Seconds after which a message that is still being handled is a failure."""


async def tap(pilot: Pilot[Any], *pressed: str) -> None:
    """Press keys one after the other, each after the previous key has had its effect."""
    for key in pressed:
        pilot.app.post_message(event_of(key))
        await settle(pilot)


async def burst(pilot: Pilot[Any], *pressed: str) -> None:
    """Press keys that all arrive at once, as they do over a slow connection."""
    for key in pressed:
        pilot.app.post_message(event_of(key))
    await settle(pilot)


def event_of(key: str) -> Key:
    """Return the event that a terminal would send for a key, named as for `Pilot.press`."""
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        return Key(name, key if len(key) == 1 else None)
    return Key(name, character)


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until every message is handled and the screen is drawn.

    The app must be found idle twice, because handling a message may send others.
    """
    rests = 0
    end = time.process_time() + LIMIT
    while rests < 2 and pilot.app.is_running and time.process_time() < end:
        await _called(end)
        await _handled(pilot.app)
        with pilot.app._context():  # A test may run two apps, and a screen draws only in its own.
            pilot.app.screen._on_timer_update()
        rests = 0 if _is_busy(pilot.app) else rests + 1


async def _called(end: float) -> None:
    """Wait a moment for threads and timers, and until the event loop has nothing left to call."""
    loop: Any = asyncio.get_running_loop()
    await asyncio.sleep(WORK)
    while loop._ready and time.process_time() < end:
        await asyncio.sleep(0)


async def _handled(app: App[Any]) -> None:
    """Wait until nothing on the screen is in the middle of handling a message.

    `Pilot._wait_for_screen` finds that out by sending a message to each widget, and handling those
    costs several times as much as what the key itself causes.
    """
    end = time.monotonic() + STUCK
    while app.is_running and any(map(_handles_a_message, _nodes(app))):
        assert time.monotonic() < end, "a message is never handled to its end"
        await asyncio.sleep(WORK)


def _handles_a_message(node: MessagePump) -> bool:
    """Return False when the loop of `node` waits for its next message."""
    return not node._closed and not node._message_queue.ready_event._waiters


def _is_busy(app: App[Any]) -> bool:
    screen = app.screen
    return (
        any(node.message_queue_size or node._next_callbacks for node in _nodes(app))
        or bool(screen._callbacks)
        or screen._layout_required
        or bool(screen._dirty_widgets)
    )


def _nodes(app: App[Any]) -> list[MessagePump]:
    """Return the app, and all widgets of the screen with their scroll bars."""
    shown = app.screen.walk_children(Widget, with_self=True)
    bars = (bar for each in shown for bar in (each._vertical_scrollbar, each._horizontal_scrollbar))
    return [app, *shown, *(bar for bar in bars if bar is not None)]
