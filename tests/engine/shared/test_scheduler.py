"""Test which learner is served next. There is no engine: work is simulated by charging for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tutor.engine import frames
from tutor.engine.inbox import Inbox
from tutor.engine.shared.scheduler import AHEAD, LearnerSlot, Scheduler
from tutor.engine.wire import Close

PIECE = 0.02
"""The duration of one simulated piece of work, in seconds."""


class Class:
    """Learners who send requests, and an engine that does pieces of work for them."""

    def __init__(self, learners: int) -> None:
        self.scheduler: Scheduler[LearnerSlot] = Scheduler()
        self.slots: list[LearnerSlot] = []
        self.served: list[int] = []
        self._id = 0
        for _ in range(learners):
            self.come()

    def come(self) -> None:
        """Add a learner."""
        self.slots.append(LearnerSlot(Inbox(lambda message: None)))
        self.served.append(0)
        self.scheduler.add(self.slots[-1])

    def ask(self, learner: int) -> None:
        self._id += 1
        slot = self.slots[learner]
        slot.inbox.take(frames.pack(Close(self._id, "s"))[frames.HEADER :])
        self.scheduler.wake(slot)

    def serve(self, seconds: float = PIECE) -> int:
        """Serve the first learner in the queue, and return the learner's index."""
        slot = self.scheduler.queue()[0]
        self.scheduler.begin(slot)
        slot.inbox.done(slot.inbox.next().id)
        self.scheduler.charge([slot], seconds)
        learner = self.slots.index(slot)
        self.served[learner] += 1
        return learner


def test_learners_who_generate_get_equal_shares() -> None:
    room = Class(4)
    for learner in range(4):
        room.ask(learner)
    for _ in range(400):
        room.ask(room.serve())
    assert room.served == [100] * 4


def test_work_done_together_is_charged_in_equal_parts() -> None:
    room = Class(3)
    room.scheduler.charge(room.slots[:2], 1.0)
    room.scheduler.charge(room.slots[2:], 0.7)
    assert [slot.virtual_time for slot in room.slots] == [0.5, 0.5, 0.7]


def test_a_late_learner_gets_no_more_than_the_others() -> None:
    room = Class(2)
    for learner in range(2):
        room.ask(learner)
    for _ in range(100):
        room.ask(room.serve())
    room.come()
    room.ask(2)
    for _ in range(30):
        room.ask(room.serve())
    assert room.served == [60, 60, 10]


def test_a_learner_with_longer_requests_gets_fewer() -> None:
    room = Class(2)
    for learner in range(2):
        room.ask(learner)
    for _ in range(300):
        learner = 0 if room.scheduler.queue()[0] is room.slots[0] else 1
        room.ask(room.serve(PIECE if learner == 0 else 5 * PIECE))
    had = [room.served[0], 5 * room.served[1]]
    assert abs(had[0] - had[1]) <= 5


@given(st.integers(1, 8), st.integers(2, 8))
def test_a_learner_who_steps_comes_before_those_who_generate(runners: int, rounds: int) -> None:
    pause = runners * rounds
    room = Class(runners + 1)
    stepper = runners
    for learner in range(runners):
        room.ask(learner)
    for _ in range(10):
        for _ in range(pause):
            room.ask(room.serve())
        room.ask(stepper)
        assert room.serve() == stepper


def test_a_break_does_not_save_up_time() -> None:
    """A learner who returns goes first, but does not keep the others waiting for long."""
    room = Class(2)
    room.ask(0)
    for _ in range(10_000):
        room.ask(room.serve())
    room.ask(1)
    before = room.served[0]
    in_a_row = 0
    while room.served[0] == before:
        room.ask(room.serve())
        in_a_row += 1
    assert in_a_row * PIECE <= AHEAD + 3 * PIECE


@given(st.lists(st.integers(0, 5), min_size=1, max_size=200))
def test_no_learner_who_waits_is_forgotten(asking: list[int]) -> None:
    room = Class(6)
    for learner in asking:
        room.ask(learner)
    for _ in asking:
        room.serve()
    assert room.scheduler.queue() == []
    assert room.served == [asking.count(learner) for learner in range(6)]


def test_a_learner_who_has_left_is_removed_once_and_not_served() -> None:
    room = Class(2)
    room.ask(0)
    room.ask(1)
    room.scheduler.leave(room.slots[0])
    assert room.scheduler.queue() == [room.slots[1]]
    assert room.scheduler.remove_departed() == [room.slots[0]]
    assert room.scheduler.remove_departed() == []
    assert room.scheduler.slots == (room.slots[1],)
