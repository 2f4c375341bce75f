"""The engine's sessions by name, and a budget of memory for what is computed for them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from tutor.engine.session_server import SessionTable
from tutor.errors import TooMuchAsked
from tutor.lm.session import Session

# For SmolLM2-135M about 2,000 tokens in all sessions together.
BUDGET_BYTES = 96 * 1024 * 1024


# What is left to all other programs of the machine.
SPARED = 128 * 1024 * 1024

# Seconds between two looks at how much the machine has left; each takes 0.2 ms.
LOOK = 1.0


class CacheBudget:
    """When what is computed for all sessions takes more than `limit` bytes, it is dropped for the
    sessions used longest ago. Their paths are kept, and read again when they are asked about.

    `available` says how many bytes the machine has left, None where that is not known: where it
    has less than `SPARED`, less is kept. It is asked now and then, by `clock`."""

    def __init__(
        self,
        limit: int = BUDGET_BYTES,
        available: Callable[[], int | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = self._limit = limit
        self._available = available
        self._clock = clock
        self._looked = -LOOK
        self._sessions: OrderedDict[Session, None] = OrderedDict()  # last used at the end

    @property
    def taken(self) -> int:
        """Bytes, of all sessions."""
        return sum(session.cache_bytes for session in self._sessions)

    def use(self, session: Session) -> None:
        self._sessions[session] = None
        self._sessions.move_to_end(session)

    def forget(self, session: Session) -> None:
        self._sessions.pop(session, None)

    def shrink(self) -> None:
        """Come back within the budget. The session used last keeps what it has."""
        total = self.taken
        self._look(total)
        for session in list(self._sessions)[:-1]:
            if total <= self._limit:
                return
            total -= session.cache_bytes
            session.drop_computed()
            total += session.cache_bytes

    def _look(self, total: int) -> None:
        """At how much the machine bears, with `total` bytes taken here."""
        now = self._clock()
        if now - self._looked < LOOK:
            return
        self._looked = now
        available = self._available()
        self._limit = self._most
        if available is not None:
            self._limit = min(self._most, total + available - SPARED)


class CachedSessions(SessionTable[Session]):
    """The sessions of one learner; of several learners each has one, and they share a budget."""

    def __init__(self, budget: CacheBudget | None = None, most: int | None = None) -> None:
        super().__init__()
        self._budget = budget or CacheBudget()
        self._most = most

    def put(self, name: str, session: Session) -> None:
        """Raises `TooMuchAsked` where there are as many as are allowed."""
        if self._most is not None and name not in self._sessions and len(self) >= self._most:
            raise TooMuchAsked(
                f"{self._most} texts are open, and more are not kept here at a time.",
                "Close a screen or a branch that you do not need.",
            )
        self.close(name)
        super().put(name, session)
        self._budget.use(session)

    def get(self, name: str) -> Session:
        session = super().get(name)
        self._budget.use(session)
        return session

    def close(self, name: str) -> None:
        if (session := self.look(name)) is not None:
            self._budget.forget(session)
        super().close(name)

    def drop_computed(self) -> None:
        """Free the memory of all of them; the paths stay."""
        for session in self._sessions.values():
            session.drop_computed()

    def clear(self) -> None:
        for name in list(self._sessions):
            self.close(name)

    def shrink(self) -> None:
        self._budget.shrink()
