"""Read the rest of a course that was opened as an outline.

Files are read one at a time, while the learner is not pressing keys.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.course.catalogue import Opening

QUIET = 0.5
"""The time, in seconds, without a key press before the next file is read.

A learner who keeps pressing keys therefore never waits for a file.
"""
BREATH = 0.02
"""The pause between two files, in seconds, which leaves time for other tasks."""


class BackgroundLoad:
    """A background task that reads a file whenever no key has been pressed for `quiet` seconds."""

    def __init__(self, opening: Opening, quiet: float = QUIET) -> None:
        self._opening = opening
        self._quiet = quiet
        self._last_key = monotonic()

    def key_pressed(self) -> None:
        self._last_key = monotonic()

    async def run(self) -> None:
        """Read files until the whole course has been read."""
        await self._until_quiet()
        for _file in self._opening.read_rest():
            await self._until_quiet()

    async def _until_quiet(self) -> None:
        await asyncio.sleep(BREATH)
        while (left := self._last_key + self._quiet - monotonic()) > 0:
            await asyncio.sleep(left)
