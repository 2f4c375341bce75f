"""Decides whose request is next.

Everyone who waits gets an equal share of the engine's time, as processes do of a processor's: next
is the learner who has had the least of it. A learner who steps every few seconds has had little,
and so comes before one who generates without pause; several who generate take turns. (This is
weighted fair queueing with equal weights: Demers, Keshav & Shenker 1989; start times as in Goyal,
Vin & Cheng 1996.)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Generic, TypeVar

from tutor.engine.inbox import Inbox

AHEAD = 0.25
"""The head start, in seconds of work, of a learner who returns after a pause.

It is enough to come first, and too little to keep the others waiting afterwards.
"""


class LearnerSlot:
    """A learner's place in the queue.

    `virtual_time` is the seconds of work done for them, adjusted so that slots can be compared.
    """

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.virtual_time = 0.0
        self.used = time.monotonic()
        """The time of the learner's last request."""
        self.left = False


Slot = TypeVar("Slot", bound=LearnerSlot)


class Scheduler(Generic[Slot]):
    """The slots of all learners. One thread adds and removes them; another gives them turns."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []
        self._changed = threading.Condition()
        self._virtual_time = 0.0
        """The virtual time of the slot whose turn came last, when that turn began."""

    # --- for the thread that listens ------------------------------------------------------------

    def add(self, slot: Slot) -> None:
        with self._changed:
            slot.virtual_time = self._virtual_time
            self._slots.append(slot)

    def leave(self, slot: Slot) -> None:
        """Cancel the learner's work; the thread that works removes the slot."""
        slot.inbox.leave()
        with self._changed:
            slot.left = True
            self._changed.notify()

    def wake(self, slot: Slot) -> None:
        """Note that a request has arrived."""
        with self._changed:
            if len(slot.inbox) <= 1:  # no other request is pending
                slot.virtual_time = max(slot.virtual_time, self._virtual_time - AHEAD)
            slot.used = time.monotonic()
            self._changed.notify()

    # --- for the thread that works --------------------------------------------------------------

    @property
    def slots(self) -> tuple[Slot, ...]:
        with self._changed:
            return tuple(self._slots)

    def wait(self, seconds: float | None) -> None:
        """Wait until a learner has sent a request or left, for at most `seconds`."""
        with self._changed:
            self._changed.wait_for(
                lambda: any(slot.left or not slot.inbox.empty() for slot in self._slots), seconds
            )

    def remove_departed(self) -> list[Slot]:
        """Remove and return the slots of learners who have left."""
        with self._changed:
            gone = [slot for slot in self._slots if slot.left]
            self._slots = [slot for slot in self._slots if not slot.left]
            return gone

    def queue(self) -> list[Slot]:
        """Return the slots that wait for an answer, in the order of their turns."""
        with self._changed:
            waiting = [slot for slot in self._slots if not (slot.left or slot.inbox.empty())]
        return sorted(waiting, key=lambda slot: (slot.virtual_time, slot.used))

    def begin(self, slot: Slot) -> None:
        """Begin a turn of this slot."""
        self._virtual_time = max(self._virtual_time, slot.virtual_time)

    def charge(self, slots: Iterable[Slot], seconds: float) -> None:
        """Charge work of `seconds` to these slots, in equal parts."""
        sharing = list(slots)
        for slot in sharing:
            slot.virtual_time += seconds / len(sharing)
