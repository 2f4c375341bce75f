"""A server that handles requests for a remote model. This module does not import torch.

Each request that may have to wait for the remote server is handled in its own thread. A slow server
therefore doesn't delay other requests, and a request can be canceled at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from tutor.engine import wire
from tutor.engine.inbox import Inbox
from tutor.engine.questions import QUESTIONS
from tutor.engine.session_server import SessionServer, SessionTable
from tutor.errors import LabError, NotTold
from tutor.vendors.reader import RemoteReader
from tutor.vendors.session import RemoteSession


class VendorServer(SessionServer[RemoteSession]):
    def __init__(
        self, reader: RemoteReader, inbox: Inbox, send: Callable[[wire.Message], None]
    ) -> None:
        super().__init__(SessionTable(), inbox, send)
        self._reader = reader
        self.on(wire.Tokenize, self._refuse_tokenize)
        self.on(wire.Steer, self._refuse_to_steer)
        self.on(wire.AskLab, self._refuse_lab)

    def answer(self, request: wire.AnyRequest) -> None:
        if isinstance(request, wire.OpenText | wire.SessionQuestion):
            work = self._waiting_work(request)
            threading.Thread(target=self.reply, args=(request, work), daemon=True).start()
        else:
            super().answer(request)

    def _waiting_work(
        self, request: wire.OpenText | wire.SessionQuestion
    ) -> Callable[[], wire.Message]:
        """Return a function that handles the request.

        The function uses a copy of the session's current state.
        """
        if isinstance(request, wire.SessionQuestion) and (
            now := self._sessions.look(request.session)
        ):
            check = partial(self.inbox.check, request.id)
            return partial(QUESTIONS[type(request)].answer, now.snapshot(check), request)
        return partial(self.work_on, request)

    def open_text(self, request: wire.OpenText) -> wire.Message:
        check = partial(self.inbox.check, request.id)
        return self._open(request, RemoteSession.on_text(self._reader, request.text, check))

    def open_chat(self, request: wire.OpenChat) -> wire.Message:
        return self._open(request, RemoteSession.on_chat(self._reader, request.messages))

    def open_tokens(self, request: wire.OpenTokens) -> wire.Message:
        self._reader.vocabulary.learn(request.ids, request.data)
        path = self._reader.vocabulary.tokens(request.ids)
        return self._open(request, RemoteSession(self._reader, path))

    def append(self, request: wire.Append) -> wire.Message:
        self._reader.vocabulary.learn(request.ids, request.data)
        return super().append(request)

    def append_turn(self, request: wire.AppendTurn) -> wire.Message:
        added = self._sessions.get(request.session).append_turn(request.text)
        return wire.Opened(request.id, added)

    def _refuse_tokenize(self, request: wire.Tokenize) -> wire.Message:
        raise NotTold(
            f"{self._reader.model.host} does not report how it tokenizes text.",
            "Use a local model instead.",
        )

    def _refuse_to_steer(self, request: wire.Steer) -> wire.Message:
        """Refuse to steer. A request to stop steering is accepted, because it changes nothing."""
        if not request.values:
            return wire.Length(request.id, len(self._sessions.get(request.session)))
        raise NotTold(
            f"{self._reader.model.name} is remote, and its server doesn't expose the model's "
            "internals.",
            "Use a local model instead.",
        )

    def _refuse_lab(self, request: wire.AskLab) -> wire.Message:
        raise LabError(
            f"This lab inspects a local model, but {self._reader.model.name} is remote.",
            "Start tutor without --model to use a local model.",
        )

    def _open(
        self, request: wire.OpenText | wire.OpenChat | wire.OpenTokens, session: RemoteSession
    ) -> wire.Message:
        self._sessions.put(request.session, session)
        return wire.Opened(request.id, session.tokens)
