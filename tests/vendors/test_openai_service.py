"""Test the adapter for OpenAI's API with a real server on the loopback."""

from __future__ import annotations

import gzip
import math
import threading
import traceback
from contextlib import suppress
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from tests.vendors.loopback import (
    KEY,
    Answer,
    Loopback,
    broken,
    chat_event,
    raw,
    silent,
    status,
    stream,
    text_event,
    usage_event,
    whole,
)
from tutor import errors
from tutor.errors import RemoteError, RequestCancelled
from tutor.lm.distribution import ChatMessage, SamplerSettings
from tutor.vendors import response_limit
from tutor.vendors.catalogue import remote_model
from tutor.vendors.keys import Secret
from tutor.vendors.opening import open_service
from tutor.vendors.service import (
    Cancellation,
    Finish,
    Piece,
    RemoteRequest,
    Service,
    Usage,
    is_compressed,
)

pytest.importorskip("openai")

HELLO = RemoteRequest((ChatMessage("user", "Hello"),))


def service_at(server: Loopback, key: str | None = KEY) -> Service:
    model = remote_model("openai:tiny", server.url + "/v1")
    return open_service(model, Secret(key) if key else None)


def asked(
    server: Loopback, request: RemoteRequest = HELLO, key: str | None = KEY
) -> list[Piece | Finish]:
    return list(service_at(server, key).stream(request, Cancellation()))


def failure(server: Loopback, *answers: Answer, request: RemoteRequest = HELLO) -> RemoteError:
    """Return the error that a request raises, and check that it doesn't contain the key."""
    server.answers = list(answers)
    with pytest.raises(RemoteError) as caught:
        asked(server, request)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    seen: BaseException | None = caught.value
    while seen is not None:
        assert KEY not in str(seen) + repr(seen) + repr(vars(seen))
        assert isinstance(seen, errors.TutorError), "a vendor's exception is in the chain"
        seen = seen.__cause__ or seen.__context__
    return caught.value


# --- requests and answers ---------------------------------------------------------------------


def test_a_conversation(server: Loopback) -> None:
    top = [(" Hi", -0.25), ("Hello", -2.0)]
    server.answers = [
        stream(
            chat_event("Hi", told=[("Hi", -0.25, top)]),
            chat_event(" you", told=[(" you", -1.0, [(" you", -1.0)])]),
            chat_event(finish="stop"),
            usage_event(9, 2),
        )
    ]
    request = RemoteRequest(
        (ChatMessage("system", "Be short."), ChatMessage("user", "Hello")),
        SamplerSettings(0.5, 40, 0.9, 0.1),
        most_tokens=50,
        top=5,
        seed=7,
    )
    first, second, finish = asked(server, request)
    assert isinstance(first, Piece)
    assert isinstance(second, Piece)
    assert first.text == "Hi"
    assert first.log_probability == -0.25
    assert [each.data for each in first.alternatives] == [b" Hi", b"Hello"]
    assert math.isclose(first.alternatives[0].probability, math.exp(-0.25))
    assert second.data == b" you"
    assert finish == Finish("stop", Usage(9, 2))
    (sent,) = server.asked
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "Hello"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.1,
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 5,
    }


def test_settings_at_their_defaults_are_not_sent(server: Loopback) -> None:
    server.answers = [stream(chat_event("Hi"), chat_event(finish="stop"))]
    asked(server)
    assert set(server.asked[0].body) == {
        "model",
        "messages",
        "stream",
        "stream_options",
        "max_tokens",
    }


def test_a_text_to_be_continued(server: Loopback) -> None:
    server.answers = [
        stream(
            text_event(" Paris", told=[(" Paris", -0.1, [(" Paris", -0.1), (" a", -3.0)])]),
            text_event("", finish="length"),
        )
    ]
    piece, finish = asked(server, RemoteRequest("The capital of France is", most_tokens=1, top=2))
    assert isinstance(piece, Piece)
    assert (piece.text, piece.data, piece.log_probability) == (" Paris", b" Paris", -0.1)
    assert [a.data for a in piece.alternatives] == [b" Paris", b" a"]
    assert finish == Finish("length", Usage())
    (sent,) = server.asked
    assert sent.path == "/v1/completions"
    assert sent.body["prompt"] == "The capital of France is"
    assert sent.body["logprobs"] == 2


def test_a_split_character_is_shown_in_its_last_piece(server: Loopback) -> None:
    def piece(data: bytes) -> Any:
        event = chat_event("", told=[("?", -1.0, [])])
        event["choices"][0]["logprobs"]["content"][0]["bytes"] = list(data)
        return event

    server.answers = [
        stream(piece(b"\xe2\x82"), piece(b"\xac"), piece(b"\xf0\x9f"), chat_event(finish="stop"))
    ]
    *events, finish = asked(server)
    pieces = [event for event in events if isinstance(event, Piece)]
    assert [p.text for p in pieces] == ["", "€", "", "\ufffd"]
    assert [p.data for p in pieces[:3]] == [b"\xe2\x82", b"\xac", b"\xf0\x9f"]
    assert len(pieces) == len(events)
    assert isinstance(finish, Finish)


def test_the_older_format_of_bytes(server: Loopback) -> None:
    top = [("bytes:\\xe2\\x82", -0.5), ("\ufffd", -1.0), ("", -1.5), ("a", math.log(0.25))]
    server.answers = [
        stream(text_event("x", told=[("bytes:\\xe2\\x82", -0.5, top)]), text_event(finish="length"))
    ]
    piece = asked(server, RemoteRequest("x", most_tokens=1, top=5))[0]
    assert isinstance(piece, Piece)
    assert piece.data == b"\xe2\x82"
    assert [a.data for a in piece.alternatives] == [b"\xe2\x82", b"a"]


def test_an_empty_piece_is_the_end_of_a_text(server: Loopback) -> None:
    server.answers = [stream(text_event("", finish="stop"))]
    assert asked(server, RemoteRequest("x", most_tokens=1)) == [Finish("stop", Usage())]


def test_the_tokens_of_a_prompt(server: Loopback) -> None:
    body = text_event("a b c", "length", [("a", 0.0, []), (" b", -1.5, []), (" c", -0.5, [])])
    body["choices"][0]["logprobs"]["token_logprobs"][0] = None
    server.answers = [whole(body)]
    service = service_at(server)
    pieces = service.prompt_tokens("a b", Cancellation())
    assert pieces == (Piece("a", b"a", None), Piece(" b", b" b", -1.5))
    assert server.asked[0].body["echo"] is True


def test_shifted_log_probabilities_are_dropped(server: Loopback) -> None:
    """llama.cpp's server for Python returns none for the token after the prompt."""
    body = text_event("a b", "length", [("a", 0.0, []), (" b", -9.5, [(" c", -0.5)])])
    server.answers = [whole(body)]
    pieces = service_at(server).prompt_tokens("a b", Cancellation())
    assert pieces == (Piece("a", b"a", None), Piece(" b", b" b", None))


FURTHER_ON = text_event("a b", "stop", [("a", 0.0, []), (" b", -9.5, [])])
IN_PLACE = text_event("One", "length", [("One, two, three, four,", 0.0, []), (" five", -0.1, [])])
MISPLACED = text_event("One", "length", [("One, two, three, four,", 0.0, [])])


@pytest.mark.parametrize(("other", "cost"), [(IN_PLACE, -9.5), (MISPLACED, None)])
def test_a_text_that_the_model_ends_at_once_is_checked_with_another(
    server: Loopback, other: Any, cost: float | None
) -> None:
    """There is no token after the prompt, so an unfinished text shows how the server counts."""
    server.answers = [whole(FURTHER_ON), whole(other)]
    pieces = service_at(server).prompt_tokens("a b", Cancellation())
    assert pieces is not None
    assert pieces[1] == Piece(" b", b" b", cost)
    assert server.asked[1].body["prompt"] == "One, two, three, four,"


@pytest.mark.parametrize(
    "answer",
    [
        whole(text_event("nothing of the prompt", "length")),
        whole(text_event("x", "length", [("x", -1.0, [])])),
        whole([1, 2]),
        status(400, {"error": {"message": "logprobs is not supported"}}),
    ],
)
def test_a_prompt_whose_tokens_are_not_returned(server: Loopback, answer: Answer) -> None:
    server.answers = [answer]
    assert service_at(server).prompt_tokens("a b", Cancellation()) is None


def test_a_server_without_a_key_gets_none_of_ours(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-private")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.answers = [stream(chat_event("Hi"), chat_event(finish="stop"))]
    asked(server, key=None)
    assert KEY not in str(server.asked[0].headers)
    assert "org-private" not in str(server.asked[0].headers)


# --- errors ------------------------------------------------------------------------------------

MESSAGE = {"error": {"message": f"wrong\x1b[2J key {KEY} given", "type": "x", "code": None}}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, errors.RequestRefused),
        (401, errors.KeyRefused),
        (403, errors.AccessRefused),
        (404, errors.NoSuchModel),
        (408, errors.RemoteTimeout),
        (418, errors.RequestRefused),
        (422, errors.RequestRefused),
        (429, errors.RateLimited),
        (500, errors.ServerFailed),
        (503, errors.ServerFailed),
        (504, errors.RemoteTimeout),
        (307, errors.RequestRefused),
    ],
)
def test_a_status(server: Loopback, code: int, kind: type[RemoteError]) -> None:
    error = failure(server, status(code, MESSAGE, location="http://other.invalid/"))
    assert type(error) is kind
    assert error.next_step
    assert "\x1b" not in str(error)
    if code != 307:
        assert "wrong␛[2J key *** given" in error.happened
    assert len(server.asked) == 1, "nothing is retried"


@pytest.mark.parametrize(
    "body", [b"", b"<html>nginx</html>", b"{", b"[]", b'{"error": 7}', b'"\xff"', b"null"]
)
def test_a_status_with_a_body_without_a_message(server: Loopback, body: bytes) -> None:
    error = failure(server, status(502, body))
    assert type(error) is errors.ServerFailed
    assert "<" not in error.happened


@pytest.mark.parametrize(
    ("headers", "step"),
    [
        ({"retry_after": "12"}, "Try again in 12 seconds."),
        ({"retry_after": "0"}, "Try again in 1 second."),
        ({"retry_after_ms": "1500"}, "Try again in 2 seconds."),
        ({"retry_after": "600"}, "Try again in 10 minutes."),
        ({"retry_after": "1e9"}, "The server asks you to wait for days"),
        ({"retry_after": "soon"}, "Try again in a minute"),
        ({"retry_after": "-5"}, "Try again in a minute"),
        ({"retry_after": "nan"}, "Try again in a minute"),
        ({}, "Try again in a minute"),
    ],
)
def test_too_many_requests(server: Loopback, headers: dict[str, str], step: str) -> None:
    assert step in failure(server, status(429, MESSAGE, **headers)).next_step


def test_too_many_requests_until_a_date(server: Loopback) -> None:
    error = failure(server, status(429, MESSAGE, retry_after=formatdate(time() + 600, usegmt=True)))
    assert error.next_step == "Try again in 10 minutes."


def test_log_probabilities_that_are_not_supported(server: Loopback) -> None:
    body = {"error": {"message": "logprobs are not supported with this model"}}
    request = RemoteRequest("x", top=5)
    assert type(failure(server, status(400, body), request=request)) is errors.NotTold


@pytest.mark.parametrize(
    ("detail", "step"),
    [
        ("Unexpected fields in the request: {'min_p', 'top_k'}", "Switch off top-k and min-p in"),
        ("Unexpected fields in the request: {'min_p'}", "Switch off min-p in the sampler"),
        ("Unexpected fields in the request: {'other'}", "Change the request"),
    ],
)
def test_sampler_settings_that_are_not_supported(server: Loopback, detail: str, step: str) -> None:
    sampler = SamplerSettings(top_k=5, min_p=0.1)
    request = RemoteRequest("x", sampler)
    error = failure(server, status(422, {"detail": detail}), request=request)
    assert type(error) is errors.RequestRefused
    assert detail in error.happened
    assert error.next_step.startswith(step)


def test_no_server_at_that_address() -> None:
    model = remote_model("openai:tiny", "http://127.0.0.1:9/v1")
    with pytest.raises(errors.CannotConnect) as caught:
        list(open_service(model, None).stream(HELLO, Cancellation()))
    assert "127.0.0.1:9" in caught.value.happened
    assert "Start the server" in caught.value.next_step


HI = chat_event("Hi")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (broken(HI), errors.StreamBroken),
        (stream(HI, done=False), errors.StreamBroken),
        (stream(HI), errors.StreamBroken),
        (broken(), errors.StreamBroken),
        (stream(HI, "{not json"), errors.AnswerUnreadable),
        (stream(HI, [1, 2]), errors.AnswerUnreadable),
        (stream(HI, "7"), errors.AnswerUnreadable),
        (stream(HI, {"choices": 7}), errors.AnswerUnreadable),
        (stream(HI, {"choices": [{"delta": {"content": {"a": 1}}}]}), errors.AnswerUnreadable),
        (raw(b"data: \xff\xfe\n\n"), errors.AnswerUnreadable),
        (raw(b"<html>hello</html>", "text/html"), errors.AnswerUnreadable),
        (raw(b"", "text/event-stream"), errors.AnswerUnreadable),
        (stream(), errors.AnswerUnreadable),
        (stream(HI, {"error": {"message": f"boom {KEY}", "code": 503}}), errors.ServerFailed),
        (stream(HI, {"error": {"message": "slow down", "code": "429"}}), errors.RateLimited),
        (stream(HI, {"error": "boom"}), errors.ServerFailed),
        (stream(chat_event(finish="stop")), errors.AnswerEmpty),
        (stream(chat_event(finish="length")), errors.AnswerCut),
        (stream(chat_event(finish="content_filter")), errors.AnswerBlocked),
        (stream(HI, chat_event(finish="content_filter")), errors.AnswerBlocked),
    ],
)
def test_an_invalid_answer(server: Loopback, answer: Answer, kind: type[RemoteError]) -> None:
    assert type(failure(server, answer)) is kind


@pytest.mark.parametrize(
    "answer", [broken(HI), stream(HI, "{"), stream(HI, chat_event(finish="content_filter"))]
)
def test_pieces_that_arrived_come_before_the_error(server: Loopback, answer: Answer) -> None:
    server.answers = [answer]
    events = service_at(server).stream(HELLO, Cancellation())
    first = next(events)
    assert isinstance(first, Piece)
    assert first.text == "Hi"
    with pytest.raises(RemoteError):
        next(events)


@pytest.mark.parametrize("answer", [silent(headers=False), silent(), silent(HI)])
def test_cancelling_ends_a_stream_that_waits(server: Loopback, answer: Answer) -> None:
    server.answers = [answer]
    cancellation = Cancellation()
    outcome: list[BaseException] = []

    def read() -> None:
        try:
            list(service_at(server).stream(HELLO, cancellation))
        except RequestCancelled as error:
            outcome.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while not server.asked:
        reader.join(0.01)
    cancellation.cancel()
    reader.join(20)
    assert not reader.is_alive()
    assert len(outcome) == 1


def test_a_stream_cancelled_beforehand_sends_nothing(server: Loopback) -> None:
    server.answers = [stream(HI)]
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(RequestCancelled):
        list(service_at(server).stream(HELLO, cancellation))
    assert server.asked == []


# --- responses that are too large -----------------------------------------------------------------


def endless(part: bytes, status: int = 200, **headers: str) -> Answer:
    """Return an answer that sends `part` until the client closes the connection."""

    def answer(handler: Any) -> None:
        handler.begin(status, **headers)
        with suppress(OSError):
            while True:
                handler.wfile.write(part)

    return answer


@pytest.mark.parametrize(
    ("part", "status"),
    [(b"data: " + b"x" * 50_000, 200), (b": \n\n" * 10_000, 200), (b"x" * 50_000, 400)],
    ids=["one line", "comments", "an error"],
)
def test_an_endless_response_is_cut_off(
    server: Loopback, part: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_limit, "LARGEST", 1_000_000)
    error = failure(server, endless(part, status))
    assert isinstance(error, errors.AnswerUnreadable)
    assert "it is larger than 1,000,000 bytes" in error.happened


@pytest.mark.parametrize("status", [200, 400])
def test_a_compressed_response_is_not_decompressed(server: Loopback, status: int) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    error = failure(server, endless(bomb, status, content_encoding="gzip"))
    assert "it is compressed" in error.happened
    assert server.asked[-1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [("", False), ("none", False), ("Identity", False), ("GZIP", True), ("none, br", True)],
)
def test_only_what_a_client_would_decompress_is_compressed(encoding: str, compressed: bool) -> None:
    assert is_compressed(encoding) == compressed


def test_an_endless_response_about_tokens_is_cut_off(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_limit, "LARGEST", 1_000_000)
    named = ("token_id:5", -0.5, [("token_id:5", -0.5)])
    event = text_event("x", "length", told=[named])
    paths: list[str] = []

    def answer(handler: Any) -> None:
        paths.append(handler.path)
        about = handler.path != "/v1/completions"
        (endless(b"[" * 50_000) if about else stream(event))(handler)

    server.answers = [answer]
    assert asked(server, RemoteRequest("Once", most_tokens=1, top=5))
    assert set(paths) - {"/v1/completions"}


def test_surplus_alternatives_are_dropped(server: Loopback) -> None:
    tops = [(f"t{index}", -2.0 - index) for index in range(3000)]
    server.answers = [stream(text_event("x", "length", told=[("x", -0.5, [*tops, ("x", -0.5)])]))]
    piece = asked(server, RemoteRequest("Once", most_tokens=1, top=20))[0]
    assert isinstance(piece, Piece)
    assert [each.data for each in piece.alternatives[:2]] == [b"x", b"t0"]
    assert len(piece.alternatives) == 21


def test_a_response_of_one_token_has_a_low_limit(server: Loopback) -> None:
    """A token with 200,000 alternatives would take seconds to decode."""
    tops = [(f"token {index}", -2.0) for index in range(200_000)]
    error = failure(
        server,
        stream(text_event("x", "length", told=[("x", -0.5, tops)])),
        request=RemoteRequest("Once", most_tokens=1, top=20),
    )
    assert isinstance(error, errors.AnswerUnreadable)
    assert "it is larger than 2,030,000 bytes" in error.happened


@pytest.mark.parametrize(
    ("name", "alternative"), [("z" * 1001, "x"), ("x", "z" * 1001)], ids=["chosen", "listed"]
)
def test_a_token_that_is_too_long_is_invalid(server: Loopback, name: str, alternative: str) -> None:
    error = failure(
        server,
        stream(text_event(name, "length", told=[(name, -0.5, [(alternative, -0.5)])])),
        request=RemoteRequest("Once", most_tokens=1, top=5),
    )
    assert isinstance(error, errors.AnswerUnreadable)


def test_an_answer_with_too_many_tokens_is_cut_off(server: Loopback) -> None:
    told = [("x", -0.5, [("x", -0.5)])] * 10_001
    error = failure(
        server,
        stream(text_event("x" * 10_001, "length", told=told)),
        request=RemoteRequest("Once", most_tokens=9, top=5),
    )
    assert isinstance(error, errors.AnswerUnreadable)
    assert "it has more than 10,000 tokens" in error.happened
