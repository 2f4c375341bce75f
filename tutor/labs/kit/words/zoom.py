"""The zoom of a map of words."""

from __future__ import annotations

MOST = 16.0
STEP = 1.5


def zoomed(zoom: float, steps: int) -> float:
    """Zoom in by `steps` steps, or out if negative. Return the new zoom, from 1 to `MOST`."""
    return min(MOST, max(1.0, zoom * STEP**steps))
