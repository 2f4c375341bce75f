"""The worker thread of a shared engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
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
from tutor.lm.session import CHUNK, Session, read_in_one_pass

log = logging.getLogger(__name__)

IDLE_CHECK = 30.0
"""The number of seconds between checks for idle learners."""
SHORT = 32
"""The maximum number of tokens in a short request.

A short request takes less than a tenth of a second, so it is allowed to interrupt long-running
work.
"""
BATCH_WINDOW = AHEAD / 2
"""The maximum difference between the virtual times of learners in a batch, in seconds.

A larger batch takes more time. The limit keeps learners who generate continuously out of the
batches of learners who have used little time.
"""
MOVES = 3
"""The maximum number of session changes per learner that are handled before each turn.

A session change takes almost no time. When it is done, the query that follows it can join a batch.
"""


class SharedServer:
    """A server that handles one request at a time, with two exceptions.

    If several learners each need one more token, these tokens are processed in one batch. Short
    texts that are processed from the beginning share a batch too, for example after a restart. A
    long request can be interrupted by short requests from other learners who have used less time
    (see `scheduler`).
    """

    def __init__(
        self,
        model: LanguageModel,
        scheduler: Scheduler[Learner],
        limits: Limits,
        *,
        read: Callable[[Sequence[tuple[Session, int]]], None] = read_in_one_pass,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Create the server.

        `read` processes several sessions up to the given lengths in one batch.
        """
        self._model = model
        self._read = read
        self._clock = clock
        self._scheduler = scheduler
        self._at_once = FEW if pays(model.network) else 1
        self._limits = limits
        self._budget = CacheBudget(limits.memory * MEGABYTE, available_memory)
        self._trainings = Trainings(limits.trainings)
        self._began = self._interrupted = 0.0
        """The start time of the current request, and the total duration of its interruptions."""
        self._interrupting = False
        self._steps = self._together = 0
        self._busy = 0.0
        self._cached = 0

    def serve(self) -> None:
        warm_up(self._model, lambda: not self._scheduler.queue())
        return_free_memory()
        while True:
            self._scheduler.wait(IDLE_CHECK)
            self.take_turn()

    def take_turn(self) -> None:
        """Remove learners who have disconnected, then serve the next learner in the queue."""
        for learner in self._scheduler.remove_departed():
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
        """Return a load report. This method may also be called by the listener thread."""
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
        """Handle the request of the first learner in the queue, or of a batch of learners."""
        for learner in queue:
            self._answer_moves(learner)
        self._scheduler.begin(queue[0])
        batch = self._batch(queue)
        if len(batch) > 1:
            self._read_together(batch)
        for learner in batch:
            self._answer(learner)

    def _batch(self, queue: Sequence[Learner]) -> list[Learner]:
        """Return the learners whose requests are handled in this turn.

        If the first learner needs a token, these are the learners who need one too. If the first
        learner needs more than one, these are the learners with the shortest texts to process, as
        many as fit in one pass. Learners who have used more time than the first wait for
        another turn (see `BATCH_WINDOW`).
        """
        first = queue[0]
        unread: dict[Learner, int] = {}
        for learner in queue:
            is_near = learner.virtual_time - first.virtual_time <= BATCH_WINDOW
            if is_near and (text := self._text_to_process(learner)) is not None:
                session, length = text
                unread[learner] = session.unread(length)
        if first not in unread:
            return [first]
        if unread[first] == 1:
            return [learner for learner, count in unread.items() if count == 1][: self._at_once]
        longer = sorted((each for each in unread if unread[each] > 1), key=unread.__getitem__)
        totals = accumulate(unread[learner] for learner in longer)
        return [each for each, total in zip(longer, totals, strict=True) if total <= CHUNK]

    def _answer_moves(self, learner: Learner) -> None:
        for _ in range(MOVES):
            if not isinstance(learner.inbox.first(), wire.Append | wire.GoBack | wire.Close):
                return
            self._answer(learner)

    def _read_together(self, learners: Sequence[Learner]) -> None:
        """Process the texts of these learners in one batch.

        If the batch fails, each text is processed separately afterwards, so that only the learners
        whose texts fail get an error.
        """
        texts = [text for each in learners if (text := self._text_to_process(each)) is not None]
        if not texts:  # all of these learners have disconnected
            return
        started = self._clock()
        try:
            self._read(texts)
        except Exception:
            log.exception("processing a batch of %d texts", len(texts))
        else:
            self._together += len(texts)
        self._scheduler.charge(learners, self._clock() - started)

    def _answer(self, learner: Learner) -> None:
        """Handle the learner's next request, if there is one, and record how long it took."""
        request = learner.inbox.next_if_any()
        if request is None:
            return
        server = self._server_of(learner)
        learner.idle = False
        self._steps += isinstance(request, wire.AskDistribution)
        if self._interrupting:
            started = self._clock()
            server.answer(request)
            self._scheduler.charge([learner], self._clock() - started)
        else:
            self._began, self._interrupted = self._clock(), 0.0
            server.answer(request)
            self._scheduler.charge([learner], self._own_time())

    def _own_time(self) -> float:
        return self._clock() - self._began - self._interrupted

    def _pause(self, learner: Learner) -> None:
        """Let short requests from other learners interrupt the current work for `learner`.

        Long-running work calls this repeatedly. Raises `RequestCancelled`, or `TooMuchAsked` if the
        work takes too long.
        """
        learner.inbox.check_cancelled()
        if self._interrupting:
            return
        if self._own_time() > self._limits.work:
            raise TooMuchAsked(
                f"The request exceeded the limit of {self._limits.work:g} seconds.",
                "Try a shorter text or a smaller number.",
            )
        self._interrupting = True
        try:
            while due := self._due_before(learner):
                started = self._clock()
                self._work(due)
                self._interrupted += self._clock() - started
        finally:
            self._interrupting = False

    def _due_before(self, learner: Learner) -> list[Learner]:
        """Return the learners who may interrupt `learner`.

        They have a short request and have used less time than `learner`.
        """
        reached = learner.virtual_time + self._own_time()
        return [
            other
            for other in self._scheduler.queue()
            if other is not learner and other.virtual_time < reached and self._is_short(other)
        ]

    # --- requests ---------------------------------------------------------------------------------

    def _text_to_process(self, learner: Learner) -> tuple[Session, int] | None:
        """Return the session of the learner's next request, and the length to process it up to.

        Return None if the request isn't for a distribution, or if the number of tokens to process
        is 0 or too large for one pass.
        """
        request = learner.inbox.first()
        if not isinstance(request, wire.AskDistribution):
            return None
        session = self._server_of(learner).sessions.look(request.session)
        if session is None or not 1 <= request.position <= len(session):
            return None
        if session.steering is not None:  # steering would affect all sessions of the batch
            return None
        fits = 1 <= session.unread(request.position) <= CHUNK
        return (session, request.position) if fits else None

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

    # --- state ------------------------------------------------------------------------------------

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
        """Free the caches of learners who have been idle longer than the limit."""
        before = time.monotonic() - 60 * self._limits.idle
        dropped = False
        for learner in self._scheduler.slots:
            if learner.server and not learner.idle and learner.used < before:
                learner.server.drop_computed()
                learner.idle = dropped = True
        if dropped:
            return_free_memory()
