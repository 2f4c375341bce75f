"""The engine's sessions by name, and a memory budget for their caches."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from tutor.engine.session_server import SessionTable
from tutor.errors import TooMuchAsked
from tutor.lm.session import Session
from tutor.text import counted

# About 2,000 tokens of SmolLM2-135M, in all sessions together.
BUDGET_BYTES = 96 * 1024 * 1024


# Bytes that are left for all other programs of the machine.
RESERVED = 128 * 1024 * 1024

# Seconds between two checks of the free memory; each takes 0.2 ms.
LOOK = 1.0


class CacheBudget:
    """A limit, in bytes, on the caches of all sessions together.

    When they exceed `limit`, the caches of the least recently used sessions are dropped. Their
    paths are kept, and processed again when a question needs them.

    `available` returns how many bytes of memory are free, or None if that is not known. When less
    than `RESERVED` is free, the limit is lowered. `clock` decides when to check again.
    """

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
        """The size of all caches, in bytes."""
        return sum(session.cache_bytes for session in self._sessions)

    def use(self, session: Session) -> None:
        self._sessions[session] = None
        self._sessions.move_to_end(session)

    def forget(self, session: Session) -> None:
        self._sessions.pop(session, None)

    def shrink(self) -> None:
        """Drop caches until the budget is met. The session used last keeps its cache."""
        total = self.taken
        self._look(total)
        for session in list(self._sessions)[:-1]:
            if total <= self._limit:
                return
            total -= session.cache_bytes
            session.drop_computed()
            total += session.cache_bytes

    def _look(self, total: int) -> None:
        """Set the limit from the free memory, given that `total` bytes are cached."""
        now = self._clock()
        if now - self._looked < LOOK:
            return
        self._looked = now
        available = self._available()
        self._limit = self._most
        if available is not None:
            self._limit = min(self._most, total + available - RESERVED)


class CachedSessions(SessionTable[Session]):
    """The sessions of one learner. Several learners have one each and share a budget."""

    def __init__(self, budget: CacheBudget | None = None, most: int | None = None) -> None:
        super().__init__()
        self._budget = budget or CacheBudget()
        self._most = most

    def put(self, name: str, session: Session) -> None:
        """Store a session. Raises `TooMuchAsked` if the learner has too many open."""
        if self._most is not None and name not in self._sessions and len(self) >= self._most:
            raise TooMuchAsked(
                f"At most {counted(self._most, 'text')} can be open, with their branches.",
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
        """Free the caches of all sessions; their paths are kept."""
        for session in self._sessions.values():
            session.drop_computed()

    def clear(self) -> None:
        for name in list(self._sessions):
            self.close(name)

    def shrink(self) -> None:
        self._budget.shrink()
