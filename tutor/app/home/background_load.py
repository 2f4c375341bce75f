"""Read the lessons of a course in the background, after the course map has been shown.

Files are read one at a time, and only while the learner is not pressing keys.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.course.catalogue import Opening

QUIET = 0.5
"""The time without a key press, in seconds, after which the next file is read.

Reading a file therefore never delays a learner who keeps pressing keys.
"""
BREATH = 0.02
"""The pause between files, in seconds, during which other tasks can run."""


class BackgroundLoad:
    """A task that reads one file after another while the learner presses no keys.

    It reads the next file only if no key has been pressed for `quiet` seconds.
    """

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
