"""A server that handles requests for one local model, one at a time and in order."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence

from tutor.engine import wire
from tutor.engine.backends import LabBackends
from tutor.engine.inbox import Inbox
from tutor.engine.session_server import SessionServer
from tutor.engine.sessions import CachedSessions
from tutor.lm.chat import chat_ids, text_ids, turn_ids
from tutor.lm.distribution import PLAIN
from tutor.lm.inspect.steering import same_steering, steering_of
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session


class Server(SessionServer[Session]):
    """A server for the sessions and lab backends of one learner.

    `check_cancelled` is called repeatedly during long-running work, and raises an exception to stop
    it. `longest` is the maximum number of tokens in a session.
    """

    def __init__(
        self,
        model: LanguageModel,
        inbox: Inbox,
        send: Callable[[wire.Message], None],
        *,
        sessions: CachedSessions | None = None,
        backends: LabBackends | None = None,
        check_cancelled: Callable[[], None] | None = None,
        longest: int | None = None,
    ) -> None:
        self.sessions = CachedSessions() if sessions is None else sessions
        super().__init__(self.sessions, inbox, send)
        self._model = model
        self._check_cancelled = check_cancelled or inbox.check_cancelled
        self._longest = longest
        self._backends = backends or LabBackends(
            lambda: model, self._check_cancelled, inbox.permissions
        )
        self.on(wire.Steer, self._steer)
        self.on(wire.Tokenize, self._tokenize)
        self.on(wire.AskLab, self._backends.on_question)

    def serve(self) -> None:
        warm_up(self._model, self.inbox.empty)
        return_free_memory()
        super().serve()

    def work_on(self, request: wire.AnyRequest) -> wire.Message:
        answer = super().work_on(request)
        self.sessions.shrink()
        return answer

    def drop_computed(self) -> None:
        """Free the memory of all results that can be computed again."""
        self.sessions.drop_computed()
        self._backends.clear()

    def forget(self) -> None:
        """Close all sessions and backends."""
        self.sessions.clear()
        self._backends.clear()

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
        session = self._sessions.get(request.session)
        steering = None
        if request.values:
            asked = request.values, request.layer, request.strength
            steering = steering_of(self._model, *asked)
        if not same_steering(steering, session.steering):
            session.steer(steering)
        return wire.Length(request.id, len(session))

    def _tokenize(self, request: wire.Tokenize) -> wire.Message:
        tokenizer = self._model.tokenizer
        return wire.Tokens(request.id, tokenizer.tokens(tokenizer.encode(request.text)))

    def _open(
        self, request: wire.OpenText | wire.OpenChat | wire.OpenTokens, ids: Sequence[int]
    ) -> wire.Message:
        """Create a session with these tokens, or replace the tokens of an existing session."""
        if request.session in self._sessions:
            self._sessions.get(request.session).replace(ids)
        else:
            session = Session(
                self._model, ids, check_cancelled=self._check_cancelled, longest=self._longest
            )
            self._sessions.put(request.session, session)
        return wire.Opened(request.id, self._model.tokenizer.tokens(ids))


def warm_up(model: LanguageModel, idle: Callable[[], bool]) -> None:
    """Run the network once before the first request arrives.

    The first forward pass is slow, because the system loads memory pages and PyTorch chooses
    kernels. The pass is skipped if a request is already waiting.
    """
    if idle():
        session = Session(model, [0, 0])
        session.distribution(1, PLAIN, seed=0, top=1)
        session.distribution(2, PLAIN, seed=0, top=1)
    if idle():
        model.tokenizer.containing(" ")  # build the search index now; it takes 0.1 s


def return_free_memory() -> None:
    """Return unused memory to the operating system.

    This frees about 30 MB after a model has been loaded, and about 300 MB after a model has been
    packed. On Linux, the C library would otherwise keep this memory. On other systems, this
    function does nothing.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
