"""When the screen may be painted on a slow line."""

from __future__ import annotations

AT_ONCE = 4
"""Paintings that a key brings about at once: what the key does itself, what the model answers,
a screen that opens in steps."""


class Pace:
    """A key is answered at once. What comes by itself waits until `interval` seconds have passed
    since the last painting, and more where that was so large that the line would carry over `rate`
    bytes a second. Times are seconds of any clock that only goes forward."""

    def __init__(self, interval: float, rate: int) -> None:
        self._interval = interval
        self._rate = rate
        self._at_once = AT_ONCE
        self._next = float("-inf")

    def key_pressed(self) -> None:
        self._at_once = AT_ONCE

    def painted(self, size: int, now: float) -> None:
        """`size` bytes were sent."""
        self._at_once = max(0, self._at_once - 1)
        self._next = now + max(self._interval, size / self._rate)

    def wait(self, now: float) -> float:
        """Seconds until the next painting, 0 if it is its time."""
        return 0.0 if self._at_once else max(0.0, self._next - now)
