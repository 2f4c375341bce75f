"""What an engine that serves many keeps for one learner."""

from __future__ import annotations

from tutor.engine.server import Server
from tutor.engine.sessions import CachedSessions
from tutor.engine.shared.backends import SharedBackends


class LearnerState:
    """One learner's sessions and lab backends, by name. The names mean nothing to anyone else: only
    requests from this learner's own connection are looked up here."""

    def __init__(self, server: Server, sessions: CachedSessions, backends: SharedBackends) -> None:
        self.server = server
        self.sessions = sessions
        self.backends = backends
        self.idle = False
        """Whether what was computed has been dropped since they last asked."""

    def drop_computed(self) -> None:
        self.sessions.drop_computed()
        self.backends.clear()
        self.idle = True

    def forget(self) -> None:
        self.sessions.clear()
        self.backends.clear()
