"""Whose request is next.

Everybody who waits gets an equal share of the engine's time, as processes do of a processor's: next
is whoever has had the least of it. One who steps every few seconds has had little, and so comes
before one who runs on; several who run on take turns. (This is weighted fair queueing with equal
weights: Demers, Keshav & Shenker 1989; start times as in Goyal, Vin & Cheng 1996.)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Generic, TypeVar

from tutor.engine.inbox import Inbox

AHEAD = 0.25
"""Seconds of work that one who has been away may have had less than those who are at it: enough to
come first, not enough to keep them waiting afterwards."""


class Seat:
    """A learner's place in the queue. `had` are seconds of work done for them, made comparable."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.had = 0.0
        self.used = time.monotonic()
        """When they last asked for something."""
        self.left = False


AnySeat = TypeVar("AnySeat", bound=Seat)


class Turns(Generic[AnySeat]):
    """Seats come and go from one thread, another takes turns."""

    def __init__(self) -> None:
        self._seats: list[AnySeat] = []
        self._changed = threading.Condition()
        self._now = 0.0
        """What the one had who came last, when their turn began."""

    # --- for the thread that listens ------------------------------------------------------------

    def come(self, seat: AnySeat) -> None:
        with self._changed:
            seat.had = self._now
            self._seats.append(seat)

    def leave(self, seat: AnySeat) -> None:
        """Their work is cancelled; the thread that works forgets them."""
        seat.inbox.leave()
        with self._changed:
            seat.left = True
            self._changed.notify()

    def wake(self, seat: AnySeat) -> None:
        """A request has come in."""
        with self._changed:
            if len(seat.inbox) <= 1:  # had nothing to wait for before
                seat.had = max(seat.had, self._now - AHEAD)
            seat.used = time.monotonic()
            self._changed.notify()

    # --- for the thread that works --------------------------------------------------------------

    @property
    def seats(self) -> tuple[AnySeat, ...]:
        with self._changed:
            return tuple(self._seats)

    def wait(self, seconds: float | None) -> None:
        """Until somebody has asked for something or left, or so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: any(seat.left or not seat.inbox.empty() for seat in self._seats), seconds
            )

    def take_away(self) -> list[AnySeat]:
        """Those who have left, once."""
        with self._changed:
            gone = [seat for seat in self._seats if seat.left]
            self._seats = [seat for seat in self._seats if not seat.left]
            return gone

    def queue(self) -> list[AnySeat]:
        """Those who wait for something, whose turn is next first."""
        with self._changed:
            waiting = [seat for seat in self._seats if not (seat.left or seat.inbox.empty())]
        return sorted(waiting, key=lambda seat: (seat.had, seat.used))

    def begin(self, seat: AnySeat) -> None:
        """Their turn begins."""
        self._now = max(self._now, seat.had)

    def charge(self, seats: Iterable[AnySeat], seconds: float) -> None:
        """So much work was done for these together."""
        sharing = list(seats)
        for seat in sharing:
            seat.had += seconds / len(sharing)
