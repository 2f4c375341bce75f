"""Wait for progress to be saved without blocking the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from tutor.errors import StoreError


async def on_disk(saving: Future[None]) -> bool:
    """Wait until a change is on disk, and return True. Return False if it could not be saved.

    The app shows the error. Canceling the caller does not cancel the save.
    """
    try:
        await asyncio.shield(asyncio.wrap_future(saving))
    except StoreError:
        return False
    return True
