"""The zoom of a map of words."""

from __future__ import annotations

MOST = 16.0
STEP = 1.5


def zoomed(zoom: float, steps: int) -> float:
    """Return the zoom after `steps` steps in, or out if negative, clamped to 1 … `MOST`."""
    return min(MOST, max(1.0, zoom * STEP**steps))
