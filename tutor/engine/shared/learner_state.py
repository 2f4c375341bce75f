"""What an engine that serves many keeps for one learner."""

from __future__ import annotations

from tutor.engine.server import Server
from tutor.engine.sessions import SessionTable
from tutor.engine.shared.backends import SharedBenches


class Kept:
    """Sessions and benches, by names that mean nothing to anybody else: only what comes through
    this learner's own connection is looked up here."""

    def __init__(self, server: Server, sessions: SessionTable, benches: SharedBenches) -> None:
        self.server = server
        self.sessions = sessions
        self.benches = benches
        self.idle = False
        """Whether what was computed has been dropped since they last asked."""

    def drop_computed(self) -> None:
        self.sessions.drop_computed()
        self.benches.clear()
        self.idle = True

    def forget(self) -> None:
        self.sessions.clear()
        self.benches.clear()
