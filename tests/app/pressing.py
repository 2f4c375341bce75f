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

if TYPE_CHECKING:
    from textual.app import App
    from textual.pilot import Pilot

WORK = 0.004
"""Seconds to wait for a worker, whose work shows in no queue."""
LIMIT = 1.0
"""Seconds after which the wait ends, even if the app is still busy."""


async def tap(pilot: Pilot[Any], *pressed: str) -> None:
    """Press keys one after the other, each when the one before has had its effect."""
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
    """Wait until every message is handled and the screen is drawn. The app must be found idle
    twice, because handling a message may send others."""
    rests = 0
    end = time.monotonic() + LIMIT
    while rests < 2 and pilot.app.is_running and time.monotonic() < end:
        await pilot._wait_for_screen()
        await asyncio.sleep(WORK)
        pilot.app.screen._on_timer_update()
        rests = 0 if _is_busy(pilot.app) else rests + 1


def _is_busy(app: App[Any]) -> bool:
    screen = app.screen
    nodes = (app, *screen.walk_children(with_self=True))
    return (
        any(node.message_queue_size or node._next_callbacks for node in nodes)
        or bool(screen._callbacks)
        or screen._layout_required
        or bool(screen._dirty_widgets)
    )
