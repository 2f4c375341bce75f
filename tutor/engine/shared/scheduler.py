"""Decide which learner's request the shared engine handles next.

All waiting learners get an equal share of the engine's time, like processes that share a CPU: the
next turn goes to the learner who has used the least time. A learner who requests a token every few
seconds has used little time and therefore goes before a learner who generates continuously.
Learners who all generate continuously take turns. This is weighted fair queueing with equal weights
(Demers, Keshav & Shenker 1989), with start times as in Goyal, Vin & Cheng (1996).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Generic, TypeVar

from tutor.engine.inbox import Inbox

AHEAD = 0.25
"""The head start of a learner who sends a request after a pause, in seconds of work.

The head start is large enough to put the learner first in the queue, and too small to delay the
other learners noticeably.
"""


class LearnerSlot:
    """A learner's entry in the scheduler's queue.

    `virtual_time` is the time that the engine has worked for the learner, in seconds. A learner who
    joins later or returns after a pause starts near the virtual times of the others.
    """

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.virtual_time = 0.0
        self.used = time.monotonic()
        """The value of `time.monotonic()`, in seconds, when the learner last sent a request."""
        self.left = False


Slot = TypeVar("Slot", bound=LearnerSlot)


class Scheduler(Generic[Slot]):
    """The slots of all learners, used by the listener thread and the worker thread."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []
        self._changed = threading.Condition()
        self._virtual_time = 0.0
        """The virtual time at which the most recent turn began."""

    # --- for the listener thread ----------------------------------------------------------------

    def add(self, slot: Slot) -> None:
        with self._changed:
            slot.virtual_time = self._virtual_time
            self._slots.append(slot)

    def leave(self, slot: Slot) -> None:
        """Cancel the learner's work. The worker thread removes the slot later."""
        slot.inbox.leave()
        with self._changed:
            slot.left = True
            self._changed.notify()

    def wake(self, slot: Slot) -> None:
        """Record that a request for this slot has arrived, and wake the worker thread."""
        with self._changed:
            if len(slot.inbox) <= 1:  # the learner has no other pending request
                slot.virtual_time = max(slot.virtual_time, self._virtual_time - AHEAD)
            slot.used = time.monotonic()
            self._changed.notify()

    # --- for the worker thread ------------------------------------------------------------------

    @property
    def slots(self) -> tuple[Slot, ...]:
        with self._changed:
            return tuple(self._slots)

    def wait(self, seconds: float | None) -> None:
        """Wait until a request arrives or a learner disconnects, but not longer than `seconds`."""
        with self._changed:
            self._changed.wait_for(
                lambda: any(slot.left or not slot.inbox.empty() for slot in self._slots), seconds
            )

    def remove_departed(self) -> list[Slot]:
        """Remove and return the slots of learners who have disconnected."""
        with self._changed:
            gone = [slot for slot in self._slots if slot.left]
            self._slots = [slot for slot in self._slots if not slot.left]
            return gone

    def queue(self) -> list[Slot]:
        """Return the slots that have pending requests, in the order in which to serve them."""
        with self._changed:
            waiting = [slot for slot in self._slots if not (slot.left or slot.inbox.empty())]
        return sorted(waiting, key=lambda slot: (slot.virtual_time, slot.used))

    def begin(self, slot: Slot) -> None:
        """Record that the engine begins to work for this slot."""
        self._virtual_time = max(self._virtual_time, slot.virtual_time)

    def charge(self, slots: Iterable[Slot], seconds: float) -> None:
        """Add `seconds` of work to the virtual times of these slots, divided equally among them."""
        sharing = list(slots)
        for slot in sharing:
            slot.virtual_time += seconds / len(sharing)
