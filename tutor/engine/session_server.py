"""Answers requests about sessions, wherever their model runs. Nothing here imports torch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from tutor.engine.answering import Answering
from tutor.engine.api import ModelSession
from tutor.engine.inbox import Inbox
from tutor.engine.questions import QUESTIONS
from tutor.engine.wire import (
    Append,
    AppendTurn,
    Close,
    Fork,
    GoBack,
    Length,
    Message,
    OpenChat,
    OpenText,
    OpenTokens,
    SessionQuestion,
)
from tutor.errors import UnknownSession

SessionKind = TypeVar("SessionKind", bound=ModelSession)


class SessionTable(Generic[SessionKind]):
    """The sessions of one learner, by name."""

    def __init__(self) -> None:
        self._sessions: dict[str, SessionKind] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, name: str) -> bool:
        return name in self._sessions

    def put(self, name: str, session: SessionKind) -> None:
        """Store a session, replacing one of the same name."""
        self._sessions[name] = session

    def get(self, name: str) -> SessionKind:
        """Return a session for use. Raises `UnknownSession`."""
        if name not in self._sessions:
            raise UnknownSession(f"The engine has no session {name!r}.", "Open it again.")
        return self._sessions[name]

    def look(self, name: str) -> SessionKind | None:
        """Return a session if it exists, without counting that as use."""
        return self._sessions.get(name)

    def close(self, name: str) -> None:
        """Forget a session; one that is not there is forgotten already."""
        self._sessions.pop(name, None)


class SessionServer(Answering, Generic[SessionKind]):
    """Moves and queries sessions; subclasses know how to open one on their model."""

    def __init__(
        self,
        sessions: SessionTable[SessionKind],
        inbox: Inbox,
        send: Callable[[Message], None],
    ) -> None:
        super().__init__(inbox, send)
        self._sessions = sessions
        self.on(OpenText, self.open_text)
        self.on(OpenChat, self.open_chat)
        self.on(OpenTokens, self.open_tokens)
        self.on(Append, self.append)
        self.on(AppendTurn, self.append_turn)
        self.on(GoBack, self._go_back)
        self.on(Fork, self._fork)
        self.on(Close, self.close)
        for kind in QUESTIONS:
            self.on(kind, self._ask)

    @abstractmethod
    def open_text(self, request: OpenText) -> Message: ...

    @abstractmethod
    def open_chat(self, request: OpenChat) -> Message: ...

    @abstractmethod
    def open_tokens(self, request: OpenTokens) -> Message: ...

    @abstractmethod
    def append_turn(self, request: AppendTurn) -> Message: ...

    def append(self, request: Append) -> Message:
        session = self._sessions.get(request.session)
        session.append(request.ids)
        return Length(request.id, len(session))

    def close(self, request: Close) -> Message:
        self._sessions.close(request.session)
        return Length(request.id, 0)

    def _go_back(self, request: GoBack) -> Message:
        self._sessions.get(request.session).go_back(request.length)
        return Length(request.id, request.length)

    def _fork(self, request: Fork) -> Message:
        fork = self._sessions.get(request.session).fork(request.length)
        self._sessions.put(request.new_session, fork)
        return Length(request.id, request.length)

    def _ask(self, request: SessionQuestion) -> Message:
        return QUESTIONS[type(request)].answer(self._sessions.get(request.session), request)
