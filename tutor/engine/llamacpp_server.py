"""A server that handles requests for a model that llama.cpp runs, one at a time and in order.

It doesn't keep a cache for each session, because llama.cpp processes one text at a time (see
`tutor.lm.llamacpp.session`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tutor.engine import wire
from tutor.engine.backends import LabBackends
from tutor.engine.inbox import Inbox
from tutor.engine.session_server import SessionServer, SessionTable
from tutor.lm.chat import chat_ids, text_ids, turn_ids
from tutor.lm.llamacpp.session import LlamaModel, LlamaSession, refuse


class LlamaServer(SessionServer[LlamaSession]):
    """A server for one learner's sessions. It refuses labs that need `tutor.lm.network`."""

    def __init__(
        self, model: LlamaModel, inbox: Inbox, send: Callable[[wire.Message], None]
    ) -> None:
        super().__init__(SessionTable(), inbox, send)
        self._model = model
        self._backends = LabBackends(refuse, inbox.check_cancelled, inbox.permissions)
        self.on(wire.Steer, self._steer)
        self.on(wire.Tokenize, self._tokenize)
        self.on(wire.AskLab, self._backends.on_question)

    def open_text(self, request: wire.OpenText) -> wire.Message:
        return self._open(request, text_ids(self._model, request.text))

    def open_chat(self, request: wire.OpenChat) -> wire.Message:
        return self._open(request, chat_ids(self._model, request.messages))

    def open_tokens(self, request: wire.OpenTokens) -> wire.Message:
        return self._open(request, request.ids)

    def append_turn(self, request: wire.AppendTurn) -> wire.Message:
        session = self._sessions.get(request.session)
        added = turn_ids(self._model, session.ids, request.text)
        session.append(added)
        return wire.Opened(request.id, self._model.tokenizer.tokens(added))

    def close(self, request: wire.Close) -> wire.Message:
        self._backends.close(request.session)
        return super().close(request)

    def _steer(self, request: wire.Steer) -> wire.Message:
        """Refuse to steer. A request to stop steering is accepted, because it changes nothing."""
        if request.values:
            refuse()
        return wire.Length(request.id, len(self._sessions.get(request.session)))

    def _tokenize(self, request: wire.Tokenize) -> wire.Message:
        tokenizer = self._model.tokenizer
        return wire.Tokens(request.id, tokenizer.tokens(tokenizer.encode(request.text)))

    def _open(
        self, request: wire.OpenText | wire.OpenChat | wire.OpenTokens, ids: Sequence[int]
    ) -> wire.Message:
        session = LlamaSession(self._model, ids, check_cancelled=self.inbox.check_cancelled)
        self._sessions.put(request.session, session)
        return wire.Opened(request.id, session.tokens)
