"""Clicks in tests of the whole app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.events import MouseDown, MouseUp

from tests.app.explorer.explorer_stage import lines

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tutor.app.app import TutorApp


async def click(pilot: Pilot[None], app: TutorApp, text: str, nth: int = 0) -> None:
    """Click the beginning of a text on the screen, and wait until the app has handled it."""
    found = [
        (cell_len(line[: line.index(text)]), y) for y, line in enumerate(lines(app)) if text in line
    ]
    assert found, f"{text!r} is not on the screen:\n" + "\n".join(lines(app))
    await click_at(pilot, *found[nth])


async def click_at(pilot: Pilot[None], x: int, y: int) -> None:
    """Click a cell of the screen.

    As in a terminal, the event names the widget in this cell. Without a widget, a pilot would name
    the screen.
    """
    widget, region = pilot.app.screen.get_widget_at(x, y)
    await pilot.click(widget, offset=(x - region.x, y - region.y))


def post_click(app: TutorApp, x: int, y: int, time: float | None = None) -> None:
    """Send a click to the app, as a terminal does, and do not wait for its effect.

    `Pilot.click` would give the click to the screen, past the app. `time` is when the click was
    made, or None for now.
    """
    for kind in (MouseDown, MouseUp):
        event = kind(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)
        event.time = event.time if time is None else time
        app.post_message(event)
