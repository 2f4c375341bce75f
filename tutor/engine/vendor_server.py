"""Answers requests about a model elsewhere. Nothing here imports torch.

What waits for the other machine is answered from a thread of its own, so that a slow server keeps
no other screen waiting, and a request can be cancelled at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from tutor.engine.answering import Answering
from tutor.engine.inbox import Inbox
from tutor.engine.wire import (
    Append,
    AppendTurn,
    AskDistribution,
    AskLab,
    AskRows,
    AskSurprisals,
    AskXRay,
    Close,
    DistributionAnswer,
    FindTokens,
    Fork,
    GoBack,
    Length,
    Message,
    OpenChat,
    Opened,
    OpenText,
    OpenTokens,
    Request,
    Rows,
    Surprisals,
    Tokenize,
)
from tutor.errors import EngineError, LabError, NotTold, UnknownSession
from tutor.vendors.reader import RemoteReader
from tutor.vendors.session import RemoteSession


class RemoteServer(Answering):
    def __init__(self, reader: RemoteReader, inbox: Inbox, send: Callable[[Message], None]) -> None:
        super().__init__(inbox, send)
        self._reader = reader
        self._sessions: dict[str, RemoteSession] = {}

    def answer(self, request: Request) -> None:
        if isinstance(request, OpenText | AskDistribution | AskRows):
            work = self._waiting_work(request)
            threading.Thread(target=self.reply, args=(request, work), daemon=True).start()
        else:
            super().answer(request)

    def _waiting_work(self, request: OpenText | AskDistribution | AskRows) -> Callable[[], Message]:
        """What is to be done in a thread. The path is that of now, whatever comes after."""
        check = partial(self.inbox.check, request.id)
        match request:
            case OpenText(id_, name, text):
                return lambda: self._open(
                    id_, name, RemoteSession.on_text(self._reader, text, check)
                )
            case AskDistribution(id_, name, position, sampler, seed, top):
                then = self._as_it_is(name)
                return lambda: DistributionAnswer(
                    id_, then().distribution(position, sampler, seed, top, check)
                )
            case AskRows(id_, name, position, sampler, ids):
                then = self._as_it_is(name)
                return lambda: Rows(id_, then().rows(position, sampler, ids, check))

    def work_on(self, request: Request) -> Message:
        match request:
            case OpenChat(id_, name, messages):
                return self._open(id_, name, RemoteSession.on_chat(self._reader, messages))
            case OpenTokens(id_, name, ids, data):
                self._reader.vocabulary.learn(ids, data)
                path = self._reader.vocabulary.tokens(ids)
                return self._open(id_, name, RemoteSession(self._reader, path))
            case Append(id_, name, ids, data):
                self._reader.vocabulary.learn(ids, data)
                session = self._get(name)
                session.append(ids)
                return Length(id_, len(session))
            case AppendTurn(id_, name, text):
                return Opened(id_, self._get(name).append_turn(text))
            case GoBack(id_, name, length):
                self._get(name).go_back(length)
                return Length(id_, length)
            case Fork(id_, name, new_name, length):
                self._sessions[new_name] = self._get(name).fork(length)
                return Length(id_, length)
            case Close(id_, name):
                self._sessions.pop(name, None)
                return Length(id_, 0)
            case AskSurprisals(id_, name, start):
                return Surprisals(id_, self._get(name).surprisals(start))
            case _:
                return self._refuse(request)

    def _refuse(self, request: Request) -> Message:
        """What only a model that runs here can be asked."""
        match request:
            case FindTokens(_, name, position, _, query, _):
                self._get(name).find(position, query)
            case AskXRay(_, name):
                self._get(name).xray()
            case Tokenize():
                raise NotTold(
                    f"{self._reader.model.host} does not tell how it cuts a text into tokens.",
                    "A local model does.",
                )
            case AskLab():
                raise LabError(
                    f"This lab takes a model apart, and {self._reader.model.name} runs elsewhere.",
                    "Start tutor with a local model for it: without --model openai:...",
                )
        raise EngineError(f"Requests of the kind {type(request).__name__} are unknown.")

    def _open(self, id_: int, name: str, session: RemoteSession) -> Message:
        self._sessions[name] = session
        return Opened(id_, session.tokens)

    def _get(self, name: str) -> RemoteSession:
        if name not in self._sessions:
            raise UnknownSession(f"The engine has no session {name!r}.", "Open it again.")
        return self._sessions[name]

    def _as_it_is(self, name: str) -> Callable[[], RemoteSession]:
        """A copy of the session now; where there is none, the error when it is asked for."""
        session = self._sessions.get(name)
        if session is None:
            return lambda: self._get(name)
        copy = session.fork(len(session))
        return lambda: copy
