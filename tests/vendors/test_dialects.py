"""Test servers that describe tokens in different ways against the model that they serve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from tests.labs.lab_backend import small_model
from tests.vendors.dialects import JAPANESE, VLLM, Dialect, LlamaCpp, serving
from tests.vendors.loopback import Loopback, loopback, stream, text_event
from tutor.errors import NotTold
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import PLAIN, ChatMessage, SamplerSettings
from tutor.vendors.catalogue import remote_model
from tutor.vendors.opening import open_service
from tutor.vendors.permissions import Permissions
from tutor.vendors.reader import RemoteReader
from tutor.vendors.service import Cancellation, Finish, Piece, RemoteRequest
from tutor.vendors.session import RemoteSession

pytest.importorskip("openai")

GREEDY = SamplerSettings(temperature=0)
TEXT = "Say: "
HELLO = (ChatMessage("user", "What is the capital of France?"),)


@pytest.fixture(params=[LlamaCpp, VLLM])
def dialect(request: pytest.FixtureRequest) -> type[Dialect]:
    found: type[Dialect] = request.param
    return found


def reader(server: Loopback) -> RemoteReader:
    return RemoteReader(remote_model("openai:small", server.url + "/v1"), Permissions())


def answer(server: Loopback, request: RemoteRequest) -> tuple[list[Piece], Finish]:
    """Return the pieces and the end of a response."""
    service = open_service(remote_model("openai:small", server.url + "/v1"), None)
    events = list(service.stream(request, Cancellation()))
    (finish,) = [event for event in events if isinstance(event, Finish)]
    return [event for event in events if isinstance(event, Piece)], finish


def compare(mine: RemoteSession, server: Dialect, ids: Sequence[int], steps: int) -> None:
    """Step along the best tokens, and compare 20 rows with the model of the server."""
    path = list(ids)
    for _ in range(steps):
        found = mine.distribution(len(mine), GREEDY, 0, 20)
        logs = server.logs(path)
        expected: dict[bytes, float] = {}
        for id_ in logs.topk(server.listed).indices.tolist():
            name = server.shown(id_)
            expected[name] = expected.get(name, 0.0) + math.exp(logs[id_])
        expected.pop(b"", None)
        best_names = sorted(expected, key=lambda name: -expected[name])[:20]
        assert {row.token.data for row in found.rows} == set(best_names)
        assert found.hidden_probability == pytest.approx(1 - sum(expected.values()), abs=1e-4)
        for row in found.rows:
            assert row.probability == pytest.approx(expected[row.token.data], rel=1e-4)
        best = int(logs.argmax())
        assert found.drawn.token.data == server.shown(best)
        mine.append([found.drawn.token.id])
        path.append(best)
        if mine.ended or server.is_end(path[-1]):
            break
    assert mine.ended == server.is_end(path[-1])


def test_text_in_parts_of_characters(dialect: type[Dialect]) -> None:
    model = dialect(small_model(), parts=True)
    with serving(model) as server:
        mine = RemoteSession.on_text(reader(server), TEXT)
        compare(mine, model, text_ids(small_model(), TEXT), 5)
    assert b"".join(token.data for token in mine.tokens[-5:]).startswith(JAPANESE)


def test_a_chat_ends_where_the_model_ends_it(dialect: type[Dialect]) -> None:
    model = dialect(small_model())
    with serving(model) as server:
        mine = RemoteSession.on_chat(reader(server), HELLO)
        compare(mine, model, chat_ids(small_model(), HELLO), 60)
    assert mine.ended


def test_a_chat_in_parts_of_characters(dialect: type[Dialect]) -> None:
    model = dialect(small_model(), parts=True)
    with serving(model) as server:
        mine = RemoteSession.on_chat(reader(server), HELLO)
        compare(mine, model, chat_ids(small_model(), HELLO), 5)


def test_a_whole_answer_has_no_end_token_in_its_text(dialect: type[Dialect]) -> None:
    with serving(dialect(small_model())) as server:
        pieces, finish = answer(server, RemoteRequest(HELLO, GREEDY, most_tokens=60, top=5))
    assert finish.reason == "stop"
    assert "".join(piece.text for piece in pieces) == "The capital of France is Paris."
    assert pieces[-1].data == b""
    assert pieces[-1].alternatives[0].ends


def test_a_server_that_hides_the_best_token_chooses_no_other() -> None:
    """llama_cpp.server names special tokens and parts of characters by an empty string."""
    told = [("", -0.02, [("", -0.02), ("1", -4.09)])]
    with loopback() as server:
        server.answers = [stream(text_event("", "length", told))]
        session = RemoteSession.on_text(reader(server), TEXT)
        with pytest.raises(NotTold, match="does not report the most probable token"):
            session.distribution(len(session), GREEDY, 0, 20)
        found = session.distribution(len(session), PLAIN, 0, 20)
    assert found.drawn.token.data == b"1"
    assert found.hidden_probability > 0.98


def test_a_response_without_the_token_is_no_end_of_the_text() -> None:
    with loopback() as server:
        server.answers = [stream(text_event("", "length"))]
        session = RemoteSession.on_text(reader(server), TEXT)
        with pytest.raises(NotTold, match="part of a character"):
            session.distribution(len(session), PLAIN, 0, 20)


def test_a_joined_character_has_alternatives_only_for_its_last_token() -> None:
    """llama.cpp's server joins tokens in longer answers, and lists alternatives for the last."""
    with serving(LlamaCpp(small_model(), parts=True)) as server:
        pieces, _ = answer(server, RemoteRequest(TEXT, GREEDY, 3, top=5))
    assert [piece.data for piece in pieces] == [JAPANESE[:2], JAPANESE[2:]]
    assert [bool(piece.alternatives) for piece in pieces] == [False, True]
    assert "".join(piece.text for piece in pieces).encode() == JAPANESE
