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


class LearnerSlot:
    """A learner's place in the queue. `had` are seconds of work done for them, made comparable."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.had = 0.0
        self.used = time.monotonic()
        """When they last asked for something."""
        self.left = False


Slot = TypeVar("Slot", bound=LearnerSlot)


class Scheduler(Generic[Slot]):
    """Learners come and go from one thread, another takes turns."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []
        self._changed = threading.Condition()
        self._now = 0.0
        """What the one had who came last, when their turn began."""

    # --- for the thread that listens ------------------------------------------------------------

    def come(self, slot: Slot) -> None:
        with self._changed:
            slot.had = self._now
            self._slots.append(slot)

    def leave(self, slot: Slot) -> None:
        """Their work is cancelled; the thread that works forgets them."""
        slot.inbox.leave()
        with self._changed:
            slot.left = True
            self._changed.notify()

    def wake(self, slot: Slot) -> None:
        """A request has come in."""
        with self._changed:
            if len(slot.inbox) <= 1:  # had nothing to wait for before
                slot.had = max(slot.had, self._now - AHEAD)
            slot.used = time.monotonic()
            self._changed.notify()

    # --- for the thread that works --------------------------------------------------------------

    @property
    def slots(self) -> tuple[Slot, ...]:
        with self._changed:
            return tuple(self._slots)

    def wait(self, seconds: float | None) -> None:
        """Until somebody has asked for something or left, or so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: any(slot.left or not slot.inbox.empty() for slot in self._slots), seconds
            )

    def take_away(self) -> list[Slot]:
        """Those who have left, once."""
        with self._changed:
            gone = [slot for slot in self._slots if slot.left]
            self._slots = [slot for slot in self._slots if not slot.left]
            return gone

    def queue(self) -> list[Slot]:
        """Those who wait for something, whose turn is next first."""
        with self._changed:
            waiting = [slot for slot in self._slots if not (slot.left or slot.inbox.empty())]
        return sorted(waiting, key=lambda slot: (slot.had, slot.used))

    def begin(self, slot: Slot) -> None:
        """Their turn begins."""
        self._now = max(self._now, slot.had)

    def charge(self, slots: Iterable[Slot], seconds: float) -> None:
        """So much work was done for these together."""
        sharing = list(slots)
        for slot in sharing:
            slot.had += seconds / len(sharing)
