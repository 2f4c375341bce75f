"""Answers requests about one loaded model, one at a time and in order."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence

from tutor.engine.answering import Answering
from tutor.engine.backends import Benches
from tutor.engine.inbox import Inbox
from tutor.engine.sessions import SessionTable
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
    LabAnswer,
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
    Tokens,
    XRayAnswer,
)
from tutor.errors import EngineError
from tutor.lm.chat import chat_ids, text_ids, turn_ids
from tutor.lm.distribution import PLAIN
from tutor.lm.load import LanguageModel
from tutor.lm.session import Session


class Server(Answering):
    """For one learner: `sessions` and `benches` are theirs. `check_cancelled` is called between
    pieces of long work; `longest` limits a session, in tokens."""

    def __init__(
        self,
        model: LanguageModel,
        inbox: Inbox,
        send: Callable[[Message], None],
        *,
        sessions: SessionTable | None = None,
        benches: Benches | None = None,
        check_cancelled: Callable[[], None] | None = None,
        longest: int | None = None,
    ) -> None:
        super().__init__(inbox, send)
        self._model = model
        self._check_cancelled = check_cancelled or inbox.check_cancelled
        self._longest = longest
        self._sessions = SessionTable() if sessions is None else sessions
        self._benches = benches or Benches(lambda: model, self._check_cancelled, inbox.permissions)

    def serve(self) -> None:
        warm_up(self._model, self.inbox.empty)
        return_free_memory()
        super().serve()

    def work_on(self, request: Request) -> Message:
        answer = self._work_on(request)
        self._sessions.shrink()
        return answer

    def _work_on(self, request: Request) -> Message:
        match request:
            case OpenText(id_, name, text):
                return self._open(id_, name, text_ids(self._model, text))
            case OpenChat(id_, name, messages):
                return self._open(id_, name, chat_ids(self._model, messages))
            case OpenTokens(id_, name, ids, _):
                return self._open(id_, name, ids)
            case Append(id_, name, ids, _):
                session = self._sessions.get(name)
                session.append(ids)
                return Length(id_, len(session))
            case AppendTurn(id_, name, text):
                session = self._sessions.get(name)
                added = turn_ids(self._model, session.ids, text)
                session.append(added)
                return Opened(id_, self._model.tokenizer.tokens(added))
            case GoBack(id_, name, length):
                session = self._sessions.get(name)
                session.go_back(length)
                return Length(id_, len(session))
            case Fork(id_, name, new_name, length):
                self._sessions.put(new_name, self._sessions.get(name).fork(length))
                return Length(id_, length)
            case Close(id_, name):
                self._sessions.close(name)
                self._benches.close(name)
                return Length(id_, 0)
            case AskLab(id_, name, lab, question):
                return LabAnswer(id_, self._benches.answer(name, lab, question))
            case Tokenize(id_, text):
                tokenizer = self._model.tokenizer
                return Tokens(id_, tokenizer.tokens(tokenizer.encode(text)))
            case _:
                return self._look_at(request)

    def _look_at(self, request: Request) -> Message:
        """The questions that change nothing."""
        match request:
            case AskDistribution(id_, name, position, sampler, seed, top):
                session = self._sessions.get(name)
                return DistributionAnswer(id_, session.distribution(position, sampler, seed, top))
            case AskRows(id_, name, position, sampler, ids):
                return Rows(id_, self._sessions.get(name).rows(position, sampler, ids))
            case FindTokens(id_, name, position, sampler, query, limit):
                return Rows(id_, self._sessions.get(name).find(position, sampler, query, limit))
            case AskSurprisals(id_, name, start):
                return Surprisals(id_, self._sessions.get(name).surprisals(start))
            case AskXRay(id_, name, position, layer):
                return XRayAnswer(id_, self._sessions.get(name).xray(position, layer))
            case _:
                raise EngineError(f"Requests of the kind {type(request).__name__} are unknown.")

    def _open(self, id_: int, name: str, ids: Sequence[int]) -> Message:
        """Put session `name` on this path; what it has computed of the same path stays."""
        if name in self._sessions:
            self._sessions.get(name).replace(ids)
        else:
            session = Session(
                self._model, ids, check_cancelled=self._check_cancelled, longest=self._longest
            )
            self._sessions.put(name, session)
        return Opened(id_, self._model.tokenizer.tokens(ids))


def warm_up(model: LanguageModel, idle: Callable[[], bool]) -> None:
    """The first pass through a network is slow (pages are read, kernels are chosen): spend it
    before somebody waits, as long as nobody does."""
    if idle():
        session = Session(model, [0, 0])
        session.distribution(1, PLAIN, seed=0, top=1)
        session.distribution(2, PLAIN, seed=0, top=1)
    if idle():
        model.tokenizer.containing(" ")  # joins their texts, 0.1 s


def return_free_memory() -> None:
    """Give back to the system what loading and the first pass took and freed: about 30 MB, and
    300 after packing. The C library of Linux keeps it otherwise; others have no such function."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
