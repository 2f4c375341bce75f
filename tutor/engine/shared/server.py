"""The thread that works for all learners."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import assert_never

from tutor.engine import wire
from tutor.engine.questions import QUESTIONS
from tutor.engine.server import Server, return_free_memory, warm_up
from tutor.engine.sessions import CacheBudget, CachedSessions
from tutor.engine.shared.backends import SharedBackends, Trainings
from tutor.engine.shared.learner import Learner
from tutor.engine.shared.limits import MEGABYTE, Limits
from tutor.engine.shared.scheduler import AHEAD, Scheduler
from tutor.errors import TooMuchAsked
from tutor.lm.fast.free_memory import available_memory
from tutor.lm.fast.together import FEW, pays
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session, read_one_more

log = logging.getLogger(__name__)

LOOK_AROUND = 30.0
"""Seconds between two looks for learners who have been away for long."""
SHORT = 32
"""Tokens. To read so few takes less than a tenth of a second, and may come in between."""
ALIKE = AHEAD / 2
"""Seconds of work that one may have had more than whoever is first, to be read in the same pass.
Who runs on has had more than who steps: to take them along makes the pass longer for all in it."""
MOVES = 3
"""Changes of a path that are made in front of everything else, of each learner in a turn: they cost
next to nothing, and the question that follows them can be answered together with others then."""


class SharedServer:
    """One request at a time, but for two things. What several learners want next, if it is one
    token each, is read in one pass. And where work takes long, short requests of others come in
    between, as far as they are due (`scheduler`)."""

    def __init__(
        self,
        model: LanguageModel,
        scheduler: Scheduler[Learner],
        limits: Limits,
        *,
        read: Callable[[Sequence[Session]], None] = read_one_more,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`read` reads the next token of several sessions in one pass."""
        self._model = model
        self._read = read
        self._clock = clock
        self._scheduler = scheduler
        self._at_once = FEW if pays(model.network) else 1
        self._limits = limits
        self._budget = CacheBudget(limits.memory * MEGABYTE, available_memory)
        self._trainings = Trainings(limits.trainings)
        self._began = self._between = 0.0
        """When the request at hand was begun, and how long others have come in between since."""
        self._coming_in = False
        self._steps = self._together = 0
        self._busy = 0.0
        self._cached = 0

    def serve(self) -> None:
        warm_up(self._model, lambda: not self._scheduler.queue())
        return_free_memory()
        while True:
            self._scheduler.wait(LOOK_AROUND)
            self.take_turn()

    def take_turn(self) -> None:
        """See off who has left, then work for whoever is next, if anybody waits."""
        for learner in self._scheduler.take_away():
            if learner.server is not None:
                learner.server.forget()
        self._drop_idle()
        if queue := self._scheduler.queue():
            started = self._clock()
            self._work(queue)
            self._busy += self._clock() - started
            self._budget.shrink()
        self._cached = self._budget.taken

    def load(self, version: str, up: float) -> wire.EngineLoad:
        """For whoever looks after the machine; asked from the thread that listens."""
        learners = self._scheduler.slots
        return wire.EngineLoad(
            version=version,
            model=self._model.card.name,
            learners=len(learners),
            accounts=len({learner.account for learner in learners}),
            sessions=sum(len(each.server.sessions) for each in learners if each.server),
            waiting=sum(len(learner.inbox) for learner in learners),
            trainings=len(self._trainings.running),
            cached=self._cached,
            steps=self._steps,
            together=self._together,
            busy=self._busy,
            up=up,
        )

    # --- one turn -------------------------------------------------------------------------------

    def _work(self, queue: Sequence[Learner]) -> None:
        """For the first of these, and for those whose next token can be read in the same pass."""
        for learner in queue:
            self._answer_moves(learner)
        first = queue[0]
        self._scheduler.begin(first)
        if self._next_token(first) is None:
            self._answer(first)
            return
        stepping = [
            learner
            for learner in queue
            if learner.had - first.had <= ALIKE and self._next_token(learner) is not None
        ]
        stepping = stepping[: self._at_once]
        if len(stepping) > 1:
            self._read_together(stepping)
        for learner in stepping:
            self._answer(learner)

    def _answer_moves(self, learner: Learner) -> None:
        for _ in range(MOVES):
            if not isinstance(learner.inbox.first(), wire.Append | wire.GoBack | wire.Close):
                return
            self._answer(learner)

    def _read_together(self, learners: Sequence[Learner]) -> None:
        """After this each of them only has to be answered. Where it fails, each reads alone, and
        is told what is wrong."""
        sessions = [session for each in learners if (session := self._next_token(each))]
        if not sessions:  # they have left in this moment
            return
        started = self._clock()
        try:
            self._read(sessions)
        except Exception:
            log.exception("reading %d texts together", len(sessions))
        else:
            self._together += len(sessions)
        self._scheduler.charge(learners, self._clock() - started)

    def _answer(self, learner: Learner) -> None:
        """Their next request, unless it came in between already or they have left."""
        request = learner.inbox.next_if_any()
        if request is None:
            return
        server = self._server_of(learner)
        learner.idle = False
        self._steps += isinstance(request, wire.AskDistribution)
        if self._coming_in:
            started = self._clock()
            server.answer(request)
            self._scheduler.charge([learner], self._clock() - started)
        else:
            self._began, self._between = self._clock(), 0.0
            server.answer(request)
            self._scheduler.charge([learner], self._own_time())

    def _own_time(self) -> float:
        return self._clock() - self._began - self._between

    def _pause(self, learner: Learner) -> None:
        """Called by long work for a learner, again and again. Raises `RequestCancelled`, and
        `TooMuchAsked` where it takes too long."""
        learner.inbox.check_cancelled()
        if self._coming_in:
            return
        if self._own_time() > self._limits.work:
            raise TooMuchAsked(
                f"It took longer than {self._limits.work:g} seconds and was ended: others wait.",
                "Try it with less.",
            )
        self._coming_in = True
        try:
            while due := self._due_before(learner):
                started = self._clock()
                self._work(due)
                self._between += self._clock() - started
        finally:
            self._coming_in = False

    def _due_before(self, learner: Learner) -> list[Learner]:
        """Those with something short to ask who have had less than this one by now."""
        had = learner.had + self._own_time()
        return [
            other
            for other in self._scheduler.queue()
            if other is not learner and other.had < had and self._is_short(other)
        ]

    # --- what somebody waits for ------------------------------------------------------------------

    def _next_token(self, learner: Learner) -> Session | None:
        """The session whose next token, and no more, has to be read for their next request."""
        request = learner.inbox.first()
        if not isinstance(request, wire.AskDistribution):
            return None
        session = self._server_of(learner).sessions.look(request.session)
        if session is None or not 1 <= request.position <= len(session):
            return None
        return session if session.unread(request.position) == 1 else None

    def _is_short(self, learner: Learner) -> bool:
        request = learner.inbox.first()
        match request:
            case wire.SessionQuestion():
                session = self._server_of(learner).sessions.look(request.session)
                to_read = QUESTIONS[type(request)].tokens_to_read
                return session is None or to_read(session, request) <= SHORT
            case wire.PathRequest() | wire.Tokenize():
                return True
            case wire.AskLab() | None:
                return False
            case _:
                assert_never(request)

    # --- what is kept -----------------------------------------------------------------------------

    def _server_of(self, learner: Learner) -> Server:
        if learner.server is None:

            def pause() -> None:
                self._pause(learner)

            learner.server = Server(
                self._model,
                learner.inbox,
                learner.send,
                sessions=CachedSessions(self._budget, self._limits.sessions),
                backends=SharedBackends(self._model, pause, learner.labs, self._trainings),
                check_cancelled=pause,
                longest=self._limits.context,
            )
        return learner.server

    def _drop_idle(self) -> None:
        """Free what is computed for those who have been away."""
        before = time.monotonic() - 60 * self._limits.idle
        away = [
            learner
            for learner in self._scheduler.slots
            if learner.server and not learner.idle and learner.used < before
        ]
        for learner in away:
            assert learner.server is not None
            learner.server.drop_computed()
            learner.idle = True
        if away:
            return_free_memory()
