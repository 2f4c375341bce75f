"""What an engine that serves many keeps for one learner."""

from __future__ import annotations

from tutor.engine.server import Server
from tutor.engine.sessions import CachedSessions
from tutor.engine.shared.backends import SharedBackends


class LearnerState:
    """Sessions and backends of labs, by names that mean nothing to anybody else: only what comes
    through this learner's own connection is looked up here."""

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
