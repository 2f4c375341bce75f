"""Waiting, without blocking anything, for what is being saved."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from tutor.errors import StoreError


async def on_disk(saving: Future[None]) -> bool:
    """True once it is on disk; False when that failed, which the app says by itself. Whoever
    waits may be cancelled: the save goes on."""
    try:
        await asyncio.shield(asyncio.wrap_future(saving))
    except StoreError:
        return False
    return True
