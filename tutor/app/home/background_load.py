"""Reads the rest of a course that was opened as an outline: a file at a time, while no key is
pressed."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.course.catalogue import Opening

QUIET = 0.5
"""Seconds without a key after which another file is read: a learner who presses keys in a row waits
for none."""
BREATH = 0.02
"""Seconds between two files, for what else there is to do."""


class BackgroundLoad:
    """Reads the rest of `opening`, a file whenever no key was pressed for `quiet` seconds."""

    def __init__(self, opening: Opening, quiet: float = QUIET) -> None:
        self._opening = opening
        self._quiet = quiet
        self._last_key = monotonic()

    def key_pressed(self) -> None:
        self._last_key = monotonic()

    async def run(self) -> None:
        """Return when nothing is left to be read."""
        await self._until_quiet()
        for _file in self._opening.read_rest():
            await self._until_quiet()

    async def _until_quiet(self) -> None:
        await asyncio.sleep(BREATH)
        while (left := self._last_key + self._quiet - monotonic()) > 0:
            await asyncio.sleep(left)
