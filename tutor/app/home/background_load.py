"""Reads the rest of a course that was opened as an outline.

It reads one file at a time, while no key is pressed.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.course.catalogue import Opening

QUIET = 0.5
"""Seconds without a key before the next file is read, so that a learner who keeps pressing keys
never waits for one."""
BREATH = 0.02
"""Seconds between two files, which leave time for other tasks."""


class BackgroundLoad:
    """A background task that reads one file whenever no key was pressed for `quiet` seconds."""

    def __init__(self, opening: Opening, quiet: float = QUIET) -> None:
        self._opening = opening
        self._quiet = quiet
        self._last_key = monotonic()

    def key_pressed(self) -> None:
        self._last_key = monotonic()

    async def run(self) -> None:
        """Read files until none are left."""
        await self._until_quiet()
        for _file in self._opening.read_rest():
            await self._until_quiet()

    async def _until_quiet(self) -> None:
        await asyncio.sleep(BREATH)
        while (left := self._last_key + self._quiet - monotonic()) > 0:
            await asyncio.sleep(left)
