"""The engine's sessions, and a limit on the memory for their key-value caches."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from tutor.engine.session_server import SessionTable
from tutor.errors import TooMuchAsked
from tutor.lm.session import Session
from tutor.text import counted

# The size of the key-value cache for about 2,000 tokens of SmolLM2-135M, in bytes. All sessions
# share this amount.
BUDGET_BYTES = 96 * 1024 * 1024


# The number of bytes to leave for other programs on the machine.
RESERVED = 128 * 1024 * 1024

# The minimum time between checks of the free memory, in seconds. A check takes 0.2 ms.
LOOK = 1.0


class CacheBudget:
    """A limit on the total cache size of all sessions, in bytes.

    When the total exceeds `limit`, the least recently used sessions lose their caches. Their tokens
    are kept and processed again on demand.

    `available` returns the free memory in bytes, or None if it is unknown. When less than
    `RESERVED` bytes are free, the limit is lowered. `clock` returns the time in seconds. It is
    used to limit how often the free memory is checked.
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
        self._sessions: OrderedDict[Session, None] = OrderedDict()  # least recently used first

    @property
    def taken(self) -> int:
        """The total size of all caches, in bytes."""
        return sum(session.cache_bytes for session in self._sessions)

    def use(self, session: Session) -> None:
        self._sessions[session] = None
        self._sessions.move_to_end(session)

    def forget(self, session: Session) -> None:
        self._sessions.pop(session, None)

    def shrink(self) -> None:
        """Free caches until their total size is within the limit.

        The most recently used session always keeps its cache.
        """
        total = self.taken
        self._look(total)
        for session in list(self._sessions)[:-1]:
            if total <= self._limit:
                return
            total -= session.cache_bytes
            session.drop_computed()
            total += session.cache_bytes

    def _look(self, total: int) -> None:
        """Adjust the limit to the free memory. `total` is the total size of all caches in bytes."""
        now = self._clock()
        if now - self._looked < LOOK:
            return
        self._looked = now
        available = self._available()
        self._limit = self._most
        if available is not None:
            self._limit = min(self._most, total + available - RESERVED)


class CachedSessions(SessionTable[Session]):
    """The sessions of one learner, with a `CacheBudget` that several learners can share."""

    def __init__(self, budget: CacheBudget | None = None, most: int | None = None) -> None:
        super().__init__()
        self._budget = budget or CacheBudget()
        self._most = most

    def put(self, name: str, session: Session) -> None:
        """Add a session. Raises `TooMuchAsked` if the learner has too many open sessions."""
        if self._most is not None and name not in self._sessions and len(self) >= self._most:
            raise TooMuchAsked(
                f"You can have at most {counted(self._most, 'text')} open, including branches.",
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
        """Free the caches of all sessions, but keep their tokens."""
        for session in self._sessions.values():
            session.drop_computed()

    def clear(self) -> None:
        for name in list(self._sessions):
            self.close(name)

    def shrink(self) -> None:
        self._budget.shrink()
