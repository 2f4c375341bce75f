"""Reads on in a course that was opened at a glance: what is left of it, a file at a time, while no
key is pressed."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.course.catalogue import Opening

QUIET = 0.5
"""Seconds without a key after which another file is read: somebody who presses keys in a row waits
for none."""
BREATH = 0.02
"""Seconds between two files, for what else there is to do."""


class ReadingOn:
    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._last_key = monotonic()

    def key_pressed(self) -> None:
        self._last_key = monotonic()

    async def run(self) -> None:
        """Returns when nothing is left to be read."""
        await self._quiet()
        for _file in self._opening.read_on():
            await self._quiet()

    async def _quiet(self) -> None:
        await asyncio.sleep(BREATH)
        while (left := self._last_key + QUIET - monotonic()) > 0:
            await asyncio.sleep(left)
