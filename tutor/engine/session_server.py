"""The base class of the servers for local and remote models.

This module does not import torch.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from tutor.engine import wire
from tutor.engine.answering import Answering
from tutor.engine.api import ModelSession
from tutor.engine.inbox import Inbox
from tutor.engine.questions import QUESTIONS
from tutor.errors import UnknownSession

SessionKind = TypeVar("SessionKind", bound=ModelSession)


class SessionTable(Generic[SessionKind]):
    """A table of one learner's sessions, by name."""

    def __init__(self) -> None:
        self._sessions: dict[str, SessionKind] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, name: str) -> bool:
        return name in self._sessions

    def put(self, name: str, session: SessionKind) -> None:
        """Add a session, and replace any session with the same name."""
        self._sessions[name] = session

    def get(self, name: str) -> SessionKind:
        """Return a session and mark it as used. Raises `UnknownSession`."""
        if name not in self._sessions:
            raise UnknownSession(f"The engine has no session {name!r}.", "Enter the text again.")
        return self._sessions[name]

    def look(self, name: str) -> SessionKind | None:
        """Return a session without marking it as used, or None if it doesn't exist."""
        return self._sessions.get(name)

    def close(self, name: str) -> None:
        """Close a session, if it exists."""
        self._sessions.pop(name, None)


class SessionServer(Answering, Generic[SessionKind]):
    """A server that changes and queries sessions. Subclasses define how sessions are opened."""

    def __init__(
        self,
        sessions: SessionTable[SessionKind],
        inbox: Inbox,
        send: Callable[[wire.Message], None],
    ) -> None:
        super().__init__(inbox, send)
        self._sessions = sessions
        self.on(wire.OpenText, self.open_text)
        self.on(wire.OpenChat, self.open_chat)
        self.on(wire.OpenTokens, self.open_tokens)
        self.on(wire.Append, self.append)
        self.on(wire.AppendTurn, self.append_turn)
        self.on(wire.GoBack, self._go_back)
        self.on(wire.Fork, self._fork)
        self.on(wire.Close, self.close)
        for kind in QUESTIONS:
            self.on(kind, self._ask)

    @abstractmethod
    def open_text(self, request: wire.OpenText) -> wire.Message: ...

    @abstractmethod
    def open_chat(self, request: wire.OpenChat) -> wire.Message: ...

    @abstractmethod
    def open_tokens(self, request: wire.OpenTokens) -> wire.Message: ...

    @abstractmethod
    def append_turn(self, request: wire.AppendTurn) -> wire.Message: ...

    def append(self, request: wire.Append) -> wire.Message:
        session = self._sessions.get(request.session)
        session.append(request.ids)
        return wire.Length(request.id, len(session))

    def close(self, request: wire.Close) -> wire.Message:
        self._sessions.close(request.session)
        return wire.Length(request.id, 0)

    def _go_back(self, request: wire.GoBack) -> wire.Message:
        self._sessions.get(request.session).go_back(request.length)
        return wire.Length(request.id, request.length)

    def _fork(self, request: wire.Fork) -> wire.Message:
        fork = self._sessions.get(request.session).fork(request.length)
        self._sessions.put(request.new_session, fork)
        return wire.Length(request.id, request.length)

    def _ask(self, request: wire.SessionQuestion) -> wire.Message:
        return QUESTIONS[type(request)].answer(self._sessions.get(request.session), request)
