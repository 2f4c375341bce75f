"""The engine's sessions by name, within a budget of memory."""

from __future__ import annotations

from collections import OrderedDict

from tutor.errors import UnknownSession
from tutor.lm.session import Session

# For SmolLM2-135M about 2,000 tokens in all sessions together.
BUDGET_BYTES = 96 * 1024 * 1024


class SessionTable:
    """When what is computed for all sessions takes more than the budget, it is dropped for the
    sessions used longest ago. Their paths are kept, and read again when they are asked about."""

    def __init__(self, budget: int = BUDGET_BYTES) -> None:
        self._budget = budget
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # last used at the end

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, name: str) -> bool:
        return name in self._sessions

    def put(self, name: str, session: Session) -> None:
        self._sessions[name] = session
        self._sessions.move_to_end(name)

    def get(self, name: str) -> Session:
        if name not in self._sessions:
            raise UnknownSession(f"The engine has no session {name!r}.", "Open it again.")
        self._sessions.move_to_end(name)
        return self._sessions[name]

    def close(self, name: str) -> None:
        """Forget a session; one that is not there is forgotten already."""
        self._sessions.pop(name, None)

    def shrink(self) -> None:
        """Come back within the budget. The session used last keeps what it has."""
        taken = {name: session.cache_bytes for name, session in self._sessions.items()}
        total = sum(taken.values())
        for name in list(self._sessions)[:-1]:
            if total <= self._budget:
                return
            total -= taken[name]
            self._sessions[name].drop_computed()
            total += self._sessions[name].cache_bytes
