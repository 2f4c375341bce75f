"""Test the thread that serves all learners, with a tiny network and without a socket."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.tiny_model import tiny_model
from tutor import paths
from tutor.engine import frames
from tutor.engine.inbox import Inbox
from tutor.engine.shared.learner import Learner
from tutor.engine.shared.limits import Limits
from tutor.engine.shared.scheduler import Scheduler
from tutor.engine.shared.server import SharedServer
from tutor.engine.wire import (
    Append,
    AskDistribution,
    AskLab,
    AskSurprisals,
    AskXRay,
    Cancel,
    DistributionAnswer,
    Failed,
    GoBack,
    Length,
    Message,
    Opened,
    OpenTokens,
    Surprisals,
    XRayAnswer,
)
from tutor.labs.adviser import lab as adviser
from tutor.labs.training import lab as training
from tutor.lm.distribution import PLAIN, Distribution
from tutor.lm.session import CHUNK, Session, read_in_one_pass

LIMITS = Limits()


class Clock:
    """A clock for the server's work, independent of the machine: each call adds `step` seconds."""

    def __init__(self) -> None:
        self.step = 0.001
        self._now = 0.0

    def now(self) -> float:
        self._now += self.step
        return self._now


class Room:
    """A shared engine and its clients in one thread.

    `ask` only puts a request into the queue. `work` handles requests until none is left.
    """

    def __init__(
        self,
        learners: int = 2,
        limits: Limits = LIMITS,
        read: Callable[[Sequence[tuple[Session, int]]], None] = read_in_one_pass,
    ) -> None:
        self.model = tiny_model()
        self.model.card.name = "tiny"
        self.scheduler: Scheduler[Learner] = Scheduler()
        self.clock = Clock()
        self.server = SharedServer(
            self.model, self.scheduler, limits, read=read, clock=self.clock.now
        )
        self.log: list[tuple[int, Message]] = []
        self.learners = [self.enter(account) for account in range(learners)]
        self._ids = itertools.count(1)

    def enter(self, account: int) -> Learner:
        def send(message: Message) -> None:
            self.log.append((account, message))

        learner = Learner(Inbox(send), send, account, paths.labs_of_account(account, "me"))
        self.scheduler.add(learner)
        return learner

    def ask(self, learner: int, request: type, *fields: Any) -> int:
        id_ = next(self._ids)
        self.put(learner, request(id_, *fields))
        return id_

    def put(self, learner: int, message: Message) -> None:
        slot = self.learners[learner]
        slot.inbox.take(frames.pack(message)[frames.HEADER :])
        self.scheduler.wake(slot)

    def work(self) -> list[tuple[int, Any]]:
        """Handle all requests. Return the clients' numbers and the answers, in order."""
        before = len(self.log)
        while self.scheduler.queue():
            self.server.take_turn()
        return self.log[before:]

    def load(self) -> Any:
        return self.server.load("", 1.0)


def step(room: Room, learner: int, position: int) -> int:
    return room.ask(learner, AskDistribution, "s", position, PLAIN, 0, 300)


def logits(distribution: Distribution) -> dict[int, float]:
    return {row.token.id: row.logit for row in distribution.rows}


def meanwhile(room: Room, act: Callable[[], object]) -> None:
    """Call `act` while the network processes its next input."""
    network, forward = room.model.network, room.model.network.forward

    def forward_and_act(*arguments: Any) -> Any:
        network.forward = forward
        act()
        return forward(*arguments)

    network.forward = forward_and_act


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))


def test_a_batch_gives_each_learner_the_same_as_alone() -> None:
    room = Room(6)
    texts = [(5, 6, 7, learner) for learner in range(6)]
    for learner, ids in enumerate(texts):
        room.ask(learner, OpenTokens, "s", ids)
        step(room, learner, 3)
    room.work()
    before = room.load().together
    read = room.model.network.tokens_read
    for learner in range(6):
        step(room, learner, 4)
    answers = dict(room.work())
    assert room.load().together == before + 6
    assert room.model.network.tokens_read == read  # nothing was processed alone
    for learner, ids in enumerate(texts):
        alone = Room(1)
        alone.ask(0, OpenTokens, "s", ids)
        step(alone, 0, 3)
        step(alone, 0, 4)
        expected = alone.work()[-1][1].value
        assert logits(answers[learner].value) == pytest.approx(logits(expected), abs=1e-5)


def test_a_question_joins_a_batch_after_changes_of_its_path() -> None:
    room = Room(3)
    for learner in range(3):
        room.ask(learner, OpenTokens, "s", (5, 6, learner))
        step(room, learner, 3)
    room.work()
    before = room.load().together
    read = room.model.network.tokens_read
    for learner in range(3):
        room.ask(learner, GoBack, "s", 2)
        room.ask(learner, Append, "s", (7,))
        step(room, learner, 3)
    answers = room.work()
    assert [type(answer) for _, answer in answers] == 6 * [Length] + 3 * [DistributionAnswer]
    assert room.load().together == before + 3
    assert room.model.network.tokens_read == read


def test_new_texts_share_a_pass_and_give_each_learner_the_same_as_alone() -> None:
    """All learners send their texts again after the engine has been restarted."""
    room = Room(3)
    texts = [tuple(range(5, 5 + count)) for count in (40, 20, 50)]
    for learner, ids in enumerate(texts):
        room.ask(learner, OpenTokens, "s", ids)
    room.work()
    for learner, ids in enumerate(texts):
        step(room, learner, len(ids))
    answers = dict(room.work())
    assert room.load().together == 3
    assert room.model.network.tokens_read == 0  # nothing was processed alone
    for learner, ids in enumerate(texts):
        alone = Room(1)
        alone.ask(0, OpenTokens, "s", ids)
        step(alone, 0, len(ids))
        expected = alone.work()[-1][1].value
        assert logits(answers[learner].value) == pytest.approx(logits(expected), abs=1e-5)


def test_the_shortest_new_texts_are_processed_first() -> None:
    """A pass never processes more than `CHUNK` tokens."""
    passes: list[list[int]] = []

    def read_and_note(texts: Sequence[tuple[Session, int]]) -> None:
        passes.append([length for _, length in texts])
        read_in_one_pass(texts)

    room = Room(5, read=read_and_note)
    lengths = (CHUNK - 10, 60, 30, CHUNK, 40)
    for learner, length in enumerate(lengths):
        room.ask(learner, OpenTokens, "s", (5,) * length)
    room.work()
    for learner, length in enumerate(lengths):
        step(room, learner, length)
    answered = [whom for whom, _ in room.work()]
    assert passes == [[30, 40]]
    assert answered[:3] == [2, 4, 1]
    assert sorted(answered[3:]) == [0, 3]


def test_many_changes_of_a_path_do_not_keep_others_waiting() -> None:
    room = Room(2)
    for learner in range(2):
        room.ask(learner, OpenTokens, "s", (5, 6))
    room.work()
    for _ in range(100):
        room.ask(0, GoBack, "s", 1)
    step(room, 1, 2)
    answered = [whom for whom, _ in room.work()]
    assert answered.index(1) < 10


def test_a_session_cannot_be_reached_from_another_connection() -> None:
    room = Room(2)
    room.ask(0, OpenTokens, "s", (5, 6))
    room.work()
    for request in (
        (AskDistribution, "s", 1, PLAIN, 0, 5),
        (AskSurprisals, "s", 0),
        (Append, "s", (7,)),
    ):
        room.ask(1, *request)
        ((whom, answer),) = room.work()
        assert (whom, answer.kind) == (1, "UnknownSession")
    room.ask(1, OpenTokens, "s", (9, 9, 9))
    room.ask(0, AskSurprisals, "s", 0)
    room.ask(1, AskSurprisals, "s", 0)
    lengths = {
        whom: len(answer.value) for whom, answer in room.work() if type(answer) is Surprisals
    }
    assert lengths == {0: 2, 1: 3}


def test_short_requests_interrupt_long_work() -> None:
    """The learner who takes a step gets an answer before the long text is processed."""
    room = Room(2)
    room.ask(1, OpenTokens, "s", (5, 6))
    room.work()
    room.ask(0, OpenTokens, "s", (5,) * 3 * CHUNK)
    room.ask(0, AskSurprisals, "s", 0)
    room.server.take_turn()
    room.log.clear()
    meanwhile(room, lambda: step(room, 1, 2))
    assert [whom for whom, _ in room.work()] == [1, 0]


def test_long_requests_do_not_interrupt_long_work() -> None:
    room = Room(2)
    for learner in range(2):
        room.ask(learner, OpenTokens, "s", (5,) * 3 * CHUNK)
    room.work()
    room.ask(0, AskSurprisals, "s", 0)
    meanwhile(room, lambda: room.ask(1, AskXRay, "s", 2 * CHUNK - 1, 0))
    assert [type(answer) for _, answer in room.work()] == [Surprisals, XRayAnswer]


def test_requests_cancelled_or_of_a_learner_who_left_are_skipped() -> None:
    room = Room(2)
    room.ask(0, OpenTokens, "s", (5,) * 300)
    room.ask(1, OpenTokens, "s", (5,) * 300)
    room.work()
    id_ = room.ask(0, AskSurprisals, "s", 0)
    room.put(0, Cancel(id_))
    room.ask(1, AskSurprisals, "s", 0)
    room.scheduler.leave(room.learners[1])
    answers = room.work()
    room.server.take_turn()
    assert [(whom, answer.kind) for whom, answer in answers] == [(0, "RequestCancelled")]
    assert room.model.network.tokens_read == 0
    assert room.load().learners == 1
    assert room.load().sessions == 1


def test_a_learner_may_leave_during_a_batch() -> None:
    leaves = False

    def read_and_leave(texts: Sequence[tuple[Session, int]]) -> None:
        read_in_one_pass(texts)
        if leaves:
            room.scheduler.leave(room.learners[1])

    room = Room(2, read=read_and_leave)
    for learner in range(2):
        room.ask(learner, OpenTokens, "s", (5, 6))
        step(room, learner, 1)
    room.work()
    leaves = True
    for learner in range(2):
        step(room, learner, 2)
    assert [whom for whom, _ in room.work()] == [0]


def test_a_learner_may_leave_in_the_middle_of_long_work() -> None:
    room = Room(1)
    room.ask(0, OpenTokens, "s", (5,) * 3 * CHUNK)
    room.work()
    meanwhile(room, lambda: room.scheduler.leave(room.learners[0]))
    room.ask(0, AskSurprisals, "s", 0)
    room.work()
    assert room.model.network.tokens_read == CHUNK


def test_texts_and_tokens_of_a_learner_are_limited() -> None:
    room = Room(2, Limits(sessions=3, context=20))
    for name in "abc":
        room.ask(0, OpenTokens, name, (5, 6))
    room.ask(0, OpenTokens, "a", (5, 7))  # replaces the text of the same name
    room.ask(0, OpenTokens, "d", (5, 6))
    room.ask(1, OpenTokens, "d", (5, 6))
    room.ask(1, Append, "d", (5,) * 19)
    told = [(whom, answer.kind) for whom, answer in room.work() if isinstance(answer, Failed)]
    assert sorted(told) == [(0, "TooMuchAsked"), (1, "ContextFull")]


def test_caches_of_all_share_a_budget_and_are_computed_again() -> None:
    """The least recently served learner loses the cache, but gets the same answer."""
    room = Room(8, Limits(memory=1))
    for learner in range(8):
        room.ask(learner, OpenTokens, "s", (learner, *range(100, 200)) * 3)
        room.ask(learner, AskSurprisals, "s", 0)
    first = {whom: answer for whom, answer in room.work() if isinstance(answer, Surprisals)}
    assert room.load().cached <= 1024 * 1024
    read = room.model.network.tokens_read
    for learner in range(8):
        room.ask(learner, AskSurprisals, "s", 0)
    for whom, again in room.work():
        assert again.value[1:] == pytest.approx(first[whom].value[1:], abs=1e-4)
    assert read < room.model.network.tokens_read <= 2 * read


def test_the_cache_of_an_idle_learner_is_dropped() -> None:
    room = Room(2, Limits(idle=1))
    for learner in range(2):
        room.ask(learner, OpenTokens, "s", (5,) * 50)
        room.ask(learner, AskSurprisals, "s", 0)
    room.work()
    before = room.load().cached
    room.learners[0].used -= 61
    room.server.take_turn()
    assert room.load().cached < 0.6 * before
    room.ask(0, AskSurprisals, "s", 0)
    ((_, answer),) = room.work()
    assert len(answer.value) == 50


def test_trainings_are_limited_and_a_closed_lab_makes_room() -> None:
    room = Room(3, Limits(trainings=2))
    look = msgspec.msgpack.encode(training.LAB.question(training.LAB.start()))
    for learner in range(3):
        room.ask(learner, AskLab, "bench", "training", look)
    kinds = [answer.kind if isinstance(answer, Failed) else "" for _, answer in room.work()]
    assert kinds == ["", "", "TooMuchAsked"]
    room.scheduler.leave(room.learners[0])
    room.ask(2, AskLab, "bench", "training", look)
    ((_, answer),) = room.work()
    assert not isinstance(answer, Failed)


def test_each_account_has_its_own_folder_for_what_it_trains(tmp_path: Path) -> None:
    room = Room(2)
    look = training.LAB.question(training.LAB.start())
    assert look is not None
    for order in ("train", "save"):
        question = msgspec.structs.replace(look, order=order)
        room.ask(1, AskLab, "bench", "training", msgspec.msgpack.encode(question))
    room.work()
    (saved,) = tmp_path.rglob("training-saved.safetensors")
    assert saved.parent == tmp_path / "labs" / "accounts" / "1" / "me"


def test_labs_with_own_files_are_refused() -> None:
    """This process has the rights of another account, so it must not write for a learner."""
    room = Room(1)
    save = adviser.Save(0, adviser.Settings((), (), ()), None)
    room.ask(0, AskLab, "bench", "adviser", msgspec.msgpack.encode(save))
    ((_, answer),) = room.work()
    assert isinstance(answer, Failed)
    assert "your own engine" in answer.next_step


def test_a_request_that_takes_too_long_is_ended() -> None:
    room = Room(1)
    room.clock.step = 61.0
    room.ask(0, OpenTokens, "s", (5,) * 300)
    room.ask(0, AskSurprisals, "s", 0)
    opened, answer = (message for _, message in room.work())
    assert isinstance(opened, Opened)
    assert answer.kind == "TooMuchAsked"


def test_after_a_failed_batch_each_learner_gets_their_own_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(texts: Sequence[tuple[Session, int]]) -> None:
        raise RuntimeError("out of luck")

    room = Room(2, read=fail)
    for learner in range(2):
        room.ask(learner, OpenTokens, "s", (5, 6))
        step(room, learner, 1)
    room.work()

    for learner in range(2):
        step(room, learner, 2)
    assert [type(answer) for _, answer in room.work()] == [DistributionAnswer] * 2
    assert "out of luck" in caplog.text
