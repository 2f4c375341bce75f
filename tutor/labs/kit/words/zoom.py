"""The zoom of a map of words."""

from __future__ import annotations

MOST = 16.0
STEP = 1.5


def zoomed(zoom: float, steps: int) -> float:
    """Return the zoom after zooming in by `steps` steps, clamped to the range 1 to `MOST`.

    A negative `steps` zooms out.
    """
    return min(MOST, max(1.0, zoom * STEP**steps))
