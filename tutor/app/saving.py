"""Wait for progress to be saved, without blocking the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from tutor.errors import StoreError


async def on_disk(saving: Future[None]) -> bool:
    """Return True once `saving` is on disk, or False if it has failed.

    The app itself shows the error. Canceling the caller does not cancel the save.
    """
    try:
        await asyncio.shield(asyncio.wrap_future(saving))
    except StoreError:
        return False
    return True
