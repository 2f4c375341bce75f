"""Test the engine's answers, without a process."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from tests.tiny_model import tiny_model
from tutor.engine import frames
from tutor.engine.inbox import PipeInbox
from tutor.engine.server import Server
from tutor.engine.sessions import LOOK, RESERVED, CacheBudget, CachedSessions
from tutor.engine.wire import (
    Append,
    AppendTurn,
    AskAttribution,
    AskDistribution,
    AskOcclusion,
    AskRows,
    AskSources,
    AskSurprisals,
    AskXRay,
    AttributionAnswer,
    Cancel,
    Close,
    DistributionAnswer,
    Failed,
    FindTokens,
    Fork,
    GoBack,
    Length,
    Message,
    Occlusions,
    OpenChat,
    Opened,
    OpenText,
    OpenTokens,
    Request,
    Rows,
    Sources,
    Steer,
    Surprisals,
    Tokenize,
    Tokens,
    XRayAnswer,
)
from tutor.errors import TooMuchAsked, UnknownSession
from tutor.lm import chat_template, template_process
from tutor.lm.distribution import PLAIN, ChatMessage
from tutor.lm.inspect.steering import steering_of
from tutor.lm.saved_steering import packed
from tutor.lm.session import CHUNK, Session


def converse(*messages: Message, model: Any = None) -> list[Any]:
    """Return all answers to these messages, which have all arrived before work begins."""
    answers: list[Message] = []
    ended = threading.Event()
    stream = io.BytesIO(b"".join(map(frames.pack, messages)))
    inbox = PipeInbox(stream, answers.append, on_end=ended.set)
    inbox.start()
    assert ended.wait(10)
    server = Server(model or tiny_model(), inbox, answers.append)
    while not inbox.empty():
        server.answer_next()
    return answers


def test_every_request_has_its_answer() -> None:
    requests: list[Request] = [
        OpenText(1, "s", "hello"),
        OpenChat(2, "c", (ChatMessage("user", "hello"),)),
        OpenTokens(3, "t", (5, 6, 7)),
        Append(4, "t", (8,)),
        AppendTurn(5, "c", "more"),
        GoBack(6, "t", 2),
        Fork(7, "t", "u", 1),
        Close(8, "u"),
        AskDistribution(9, "t", 2, PLAIN, 0, 3),
        AskRows(10, "t", 1, PLAIN, (9, 4)),
        FindTokens(11, "t", 1, PLAIN, "e", 3),
        AskSurprisals(12, "t", 0),
        AskXRay(13, "t", 1, 0),
        Tokenize(14, "<|im_end|>"),
        AskAttribution(15, "t", 1, 9, 4),
        AskSources(16, "t", 1, 2, 3),
        AskOcclusion(17, "t", 1, (0,), 9),
    ]
    answers = converse(*requests)
    assert [answer.id for answer in answers] == list(range(1, 18))
    assert [type(answer) for answer in answers] == [
        Opened, Opened, Opened, Length, Opened, Length, Length, Length,
        DistributionAnswer, Rows, Rows, Surprisals, XRayAnswer, Tokens,
        AttributionAnswer, Sources, Occlusions,
    ]  # fmt: skip
    assert answers[3].length == 4
    assert [token.id for token in answers[4].tokens][:1] == [2]
    assert len(answers[8].value.rows) == 3
    assert [row.token.id for row in answers[9].value] == [9, 4]
    assert answers[11].value[0] is None
    assert len(answers[13].tokens) > 1
    assert (answers[14].value.target.id, answers[14].value.against.id) == (9, 4)
    assert len(answers[15].value) == 2
    assert [each.index for each in answers[16].value] == [0]


def test_a_steered_session_answers_with_the_vector_until_it_is_no_longer_steered() -> None:
    model = tiny_model()
    values = packed([0.5] * model.network.config.width)
    ask = AskDistribution(0, "t", 3, PLAIN, 0, 3)
    plain, _, steered, _, again = converse(
        OpenTokens(1, "t", (5, 6, 7)), ask, Steer(2, "t", values, 1, -2.0), ask, Steer(3, "t"), ask,
        model=model,
    )[1:]  # fmt: skip
    expected = Session(model, [5, 6, 7], steering=steering_of(model, values, 1, -2.0))
    assert steered.value.rows == expected.distribution(3, PLAIN, 0, 3).rows
    assert steered.value.rows != plain.value.rows
    assert again.value.rows == plain.value.rows


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (Steer(1, "missing"), "UnknownSession"),
        (AskDistribution(1, "missing", 1, PLAIN, 0, 3), "UnknownSession"),
        (Fork(1, "missing", "s", 1), "UnknownSession"),
        (OpenText(1, "s", ""), "TextError"),
        (OpenTokens(1, "s", ()), "TextError"),
        (OpenTokens(1, "s", (999_999,)), "TextError"),
        (OpenTokens(1, "s", (5,) * 401), "ContextFull"),
        (OpenText(1, "s", "word " * 400), "ContextFull"),
        (OpenChat(1, "s", ()), "TextError"),
    ],
)
def test_an_impossible_request_is_a_typed_failure(request_: Request, kind: str) -> None:
    (answer,) = converse(request_)
    assert isinstance(answer, Failed)
    assert (answer.id, answer.kind) == (1, kind)
    assert answer.happened


def test_a_failed_request_changes_nothing() -> None:
    answers = converse(
        OpenTokens(1, "s", (5, 6)),
        Append(2, "s", (999_999,)),
        Append(3, "s", (5,) * 400),
        GoBack(4, "s", 9),
        OpenTokens(5, "s", ()),
        Append(6, "s", (7,)),
    )
    assert [type(answer) for answer in answers[1:5]] == [Failed] * 4
    assert answers[5] == Length(6, 3)


def test_a_chat_template_that_never_ends_does_not_end_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One comparison of nested lists would take longer than the age of the universe."""
    monkeypatch.setattr(chat_template, "TIME_LIMIT", 0.2)
    monkeypatch.setattr(template_process, "GRACE", 0.3)
    template = (
        "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(90) %}"
        "{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}"
    )
    chat, text = converse(
        OpenChat(1, "c", (ChatMessage("user", "hello"),)),
        OpenText(2, "t", "hello"),
        model=tiny_model(template),
    )
    assert (chat.kind, chat.next_step) == (
        "ModelUnsupported",
        "Use plain text in the stepper instead.",
    )
    assert "took longer than 0.2 seconds" in chat.happened
    assert isinstance(text, Opened)


def test_closing_a_missing_session_is_harmless() -> None:
    assert converse(Close(1, "missing")) == [Length(1, 0)]


def test_a_bug_in_the_engine_is_answered_and_survived(caplog: pytest.LogCaptureFixture) -> None:
    model = tiny_model()
    model.network.lens = None
    answers = converse(
        OpenTokens(1, "s", (5, 6)), AskXRay(2, "s", 0, 0), AskSurprisals(3, "s", 0), model=model
    )
    assert isinstance(answers[1], Failed)
    assert answers[1].kind == "EngineError"
    assert isinstance(answers[2], Surprisals)
    assert "Traceback" in caplog.text


def test_an_answer_too_large_to_be_sent_is_a_typed_failure() -> None:
    """The engine then continues with the next request."""
    answers: list[Any] = []
    sent: list[bytes] = []

    def send(message: Message) -> None:
        sent.append(frames.pack(message, most=4000))
        answers.append(message)

    requests = [OpenTokens(1, "s", (5,) * 100), AskXRay(2, "s", 99, 0), AskXRay(3, "s", 1, 0)]
    inbox = PipeInbox(io.BytesIO(b"".join(map(frames.pack, requests))), send, on_end=lambda: None)
    inbox.start()
    server = Server(tiny_model(), inbox, send)
    for _ in requests[1:]:
        server.answer_next()
    assert (answers[-1].id, answers[-1].kind) == (2, "AnswerTooLarge")
    server.answer_next()
    assert isinstance(answers[-1], XRayAnswer)


def test_a_request_cancelled_before_its_turn_is_not_worked_on() -> None:
    model = tiny_model()
    answers = converse(
        OpenTokens(1, "s", (5,) * 300),
        AskSurprisals(2, "s", 0),
        AskDistribution(3, "s", 1, PLAIN, 0, 1),
        Cancel(2),
        model=model,
    )
    assert [type(answer) for answer in answers] == [Opened, Failed, DistributionAnswer]
    assert answers[1].kind == "RequestCancelled"
    assert model.network.tokens_read == 1


def test_a_request_is_cancelled_while_it_is_worked_on() -> None:
    """The cancellation arrives during the first of three chunks."""
    model = tiny_model()
    stream = _Pipe()
    answers: list[Any] = []
    inbox = PipeInbox(stream, answers.append, on_end=lambda: None)
    forward = model.network.forward

    def forward_then_cancel(*arguments: Any) -> Any:
        result = forward(*arguments)
        stream.feed(frames.pack(Cancel(2)))
        stream.drained.wait(10)
        return result

    model.network.forward = forward_then_cancel
    inbox.start()
    stream.feed(frames.pack(OpenTokens(1, "s", (5,) * 3 * CHUNK)))
    stream.feed(frames.pack(AskSurprisals(2, "s", 0)))
    server = Server(model, inbox, answers.append)
    server.answer_next()
    server.answer_next()
    assert answers[1].kind == "RequestCancelled"
    assert model.network.tokens_read == CHUNK
    stream.close()


def test_an_unreadable_request_is_answered_with_its_id() -> None:
    payload = frames.pack(OpenText(7, "s", "x"))[4:].replace(b"OpenText", b"OpenTaxt")
    stream = io.BytesIO(len(payload).to_bytes(4, "big") + payload + b"\xff\xff\xff\xff")
    answers: list[Any] = []
    ended = threading.Event()
    PipeInbox(stream, answers.append, on_end=ended.set).start()
    assert ended.wait(10)
    assert [(answer.id, answer.kind) for answer in answers] == [
        (7, "EngineError"),
        (0, "EngineError"),
    ]


def test_reopening_a_session_keeps_the_common_beginning() -> None:
    model = tiny_model()
    converse(
        OpenTokens(1, "s", (5,) * 50),
        AskSurprisals(2, "s", 0),
        OpenTokens(3, "s", (5,) * 40 + (6, 7)),
        AskSurprisals(4, "s", 0),
        model=model,
    )
    assert model.network.tokens_read == 52


def test_old_sessions_lose_their_cache_but_not_their_path() -> None:
    model = tiny_model()
    sessions = {name: Session(model, range(64)) for name in "abc"}
    for session in sessions.values():
        session.surprisals()
    one = sessions["a"].cache_bytes
    table = CachedSessions(CacheBudget(int(2.5 * one)))
    for name, session in sessions.items():
        table.put(name, session)
    table.get("a")
    table.shrink()
    sizes = {name: session.cache_bytes for name, session in sessions.items()}
    assert sizes["a"] == sizes["c"] == one
    assert sizes["b"] < one
    read = model.network.tokens_read
    assert table.get("b").ids == tuple(range(64))
    table.get("b").surprisals()
    assert model.network.tokens_read == read + 64
    table.close("b")
    with pytest.raises(UnknownSession):
        table.get("b")


def test_a_single_session_beyond_the_budget_keeps_its_cache() -> None:
    session = Session(tiny_model(), range(64))
    session.surprisals()
    size = session.cache_bytes
    table = CachedSessions(CacheBudget(1))
    table.put("a", session)
    table.shrink()
    assert session.cache_bytes == size


def test_the_number_of_sessions_is_limited_but_each_can_be_reopened() -> None:
    model = tiny_model()
    table = CachedSessions(most=2)
    table.put("a", Session(model, range(4)))
    table.put("b", Session(model, range(4)))
    table.put("b", Session(model, range(8)))
    assert table.get("b").ids == tuple(range(8))
    with pytest.raises(TooMuchAsked):
        table.put("c", Session(model, range(4)))
    table.close("a")
    table.put("c", Session(model, range(4)))


def test_a_cache_that_just_fits_is_kept_and_closed_sessions_do_not_count() -> None:
    model = tiny_model()
    sessions = [Session(model, range(64)) for _ in range(3)]
    for session in sessions:
        session.surprisals()
    one = sessions[0].cache_bytes
    budget = CacheBudget(2 * one)
    table = CachedSessions(budget)
    for name, session in zip("abc", sessions, strict=True):
        table.put(name, session)
    table.close("c")
    table.shrink()
    assert budget.taken == 2 * one
    assert [session.cache_bytes for session in sessions[:2]] == [one, one]


def test_less_is_cached_while_the_machine_is_short_of_memory() -> None:
    model = tiny_model()
    now, left = 0.0, 10**12
    budget = CacheBudget(10**9, lambda: left, lambda: now)
    table = CachedSessions(budget)
    sessions = [Session(model, range(64)) for _ in range(4)]

    def compute() -> list[bool]:
        """Return for each session whether it keeps its cache after all sessions have been used."""
        for name, session in enumerate(sessions):
            session.surprisals()
            table.put(str(name), session)
        table.shrink()
        return [session.cache_bytes == one for session in sessions]

    sessions[0].surprisals()
    one = sessions[0].cache_bytes
    assert compute() == [True] * 4
    left = RESERVED - int(1.5 * one)
    assert compute() == [True] * 4  # the free memory was not checked again
    now = LOOK
    assert compute() == [False, False, True, True]
    assert compute() == [False, False, True, True]
    left, now = 10**12, 2 * LOOK
    assert compute() == [True] * 4


def test_free_memory_does_not_raise_the_budget() -> None:
    session = Session(tiny_model(), range(64))
    session.surprisals()
    budget = CacheBudget(session.cache_bytes, available=lambda: 10**12)
    table = CachedSessions(budget)
    table.put("a", session)
    table.put("b", other := Session(tiny_model(), range(64)))
    other.surprisals()
    table.shrink()
    assert session.cache_bytes < other.cache_bytes


class _Pipe:
    """A stream that the test writes to. `drained` is set when all data has been read."""

    def __init__(self) -> None:
        self._data = b""
        self._closed = False
        self._changed = threading.Condition()
        self.drained = threading.Event()

    def feed(self, data: bytes) -> None:
        with self._changed:
            self.drained.clear()
            self._data += data
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def read(self, size: int) -> bytes:
        with self._changed:
            if not self._data:
                self.drained.set()  # the reader is waiting, so it has processed everything before
            self._changed.wait_for(lambda: len(self._data) >= size or self._closed)
            taken, self._data = self._data[:size], self._data[size:]
            return taken
