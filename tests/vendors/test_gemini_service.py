"""Test the adapter for Gemini with a real server on the loopback that uses its REST protocol."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from tests.vendors.loopback import KEY, Answer, Handler, Loopback, raw, status
from tutor import errors
from tutor.errors import RemoteError, RequestCancelled
from tutor.lm.distribution import ChatMessage, SamplerSettings
from tutor.vendors.catalogue import RemoteModel, remote_model
from tutor.vendors.keys import Secret
from tutor.vendors.opening import open_service
from tutor.vendors.service import Cancellation, Finish, Piece, RemoteRequest, Service, Usage

pytest.importorskip("google.generativeai")

HELLO = RemoteRequest((ChatMessage("user", "Hello"),))


def part(text: str = "", finish: str = "", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}}
    if not text:
        candidate = {}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **more}


def array(*events: Any, closed: bool = True, waits: bool = False) -> Answer:
    """Return what Google sends: one JSON array, an element at a time."""

    def answer(handler: Handler) -> None:
        handler.begin(200, "application/json; charset=UTF-8")
        handler.wfile.write(b"[")
        for number, event in enumerate(events):
            text = event if isinstance(event, str) else json.dumps(event)
            handler.wfile.write((",\r\n" if number else "").encode() + text.encode())
            handler.wfile.flush()
        if waits:
            handler.server.released.wait(60)
        if closed:
            handler.wfile.write(b"]")

    return answer


def at(server: Loopback) -> RemoteModel:
    model = remote_model("gemini:tiny")
    card = msgspec.structs.replace(model.service, base_url=server.url)
    return RemoteModel(card, model.name)


def service_at(server: Loopback) -> Service:
    return open_service(at(server), Secret(KEY))


def failure(server: Loopback, answer: Answer) -> RemoteError:
    server.answers = [answer]
    with pytest.raises(RemoteError) as caught:
        list(service_at(server).stream(HELLO, Cancellation()))
    assert KEY not in "".join(traceback.format_exception(caught.value))
    seen: BaseException | None = caught.value
    while seen is not None:
        assert isinstance(seen, errors.TutorError), "a vendor's exception is in the chain"
        assert KEY not in str(seen) + repr(vars(seen))
        seen = seen.__cause__ or seen.__context__
    return caught.value


def test_a_conversation(server: Loopback) -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 40}
    server.answers = [array(part("Hé"), part(" you"), part(finish="STOP", usageMetadata=usage))]
    request = RemoteRequest(
        (
            ChatMessage("system", "Be short."),
            ChatMessage("user", "Hello"),
            ChatMessage("assistant", "Yes?"),
            ChatMessage("user", "Who?"),
        ),
        SamplerSettings(0.5, 40, 0.75, 0.1),
        most_tokens=50,
        top=5,
    )
    first, second, finish = service_at(server).stream(request, Cancellation())
    assert first == Piece("Hé", "Hé".encode())
    assert second == Piece(" you", b" you")
    assert finish == Finish("stop", Usage(9, 31)), "reasoning tokens are counted"
    (sent,) = server.asked
    assert sent.path.startswith("/v1beta/models/tiny:streamGenerateContent")
    assert sent.headers["x-goog-api-key"] == KEY
    assert KEY not in sent.path
    assert [content["role"] for content in sent.body["contents"]] == ["user", "model", "user"]
    assert sent.body["systemInstruction"]["parts"] == [{"text": "Be short."}]
    assert sent.body["generationConfig"] == {
        "maxOutputTokens": 50,
        "temperature": 0.5,
        "topP": 0.75,
        "topK": 40,
    }


def test_a_text_is_not_continued(server: Loopback) -> None:
    with pytest.raises(errors.NotTold):
        list(service_at(server).stream(RemoteRequest("Once"), Cancellation()))
    assert server.asked == []


def body(code: int, message: str, state: str) -> Any:
    return {"error": {"code": code, "message": message, "status": state}}


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        (400, "API key not valid. Please pass a valid API key.", errors.KeyRefused),
        (400, "Invalid value at 'contents'", errors.RequestRefused),
        (401, f"no {KEY}", errors.KeyRefused),
        (403, "Not in your country", errors.AccessRefused),
        (404, "models/tiny is not found", errors.NoSuchModel),
        (429, "Resource has been exhausted", errors.RateLimited),
        (500, "Internal", errors.ServerFailed),
        (503, "The model is overloaded", errors.ServerFailed),
        (504, "Deadline", errors.RemoteTimeout),
    ],
)
def test_a_status(server: Loopback, code: int, said: str, kind: type[RemoteError]) -> None:
    error = failure(server, status(code, body(code, said, "X"), retry_after="12"))
    assert type(error) is kind
    assert said.replace(KEY, "***")[:20] in error.happened
    assert "127.0.0.1" not in error.happened.partition("It says:")[2]
    assert len(server.asked) == 1, "nothing is retried"
    if code == 429:
        assert error.next_step == "Try again in 12 seconds."


def test_no_other_host_is_followed(server: Loopback) -> None:
    error = failure(server, status(307, None, location=server.url + "/other"))
    assert type(error) is errors.RequestRefused
    assert len(server.asked) == 1


def test_no_server_at_that_address() -> None:
    model = remote_model("gemini:tiny")
    card = msgspec.structs.replace(model.service, base_url="http://127.0.0.1:9")
    with pytest.raises(errors.CannotConnect):
        list(open_service(RemoteModel(card, "tiny"), Secret(KEY)).stream(HELLO, Cancellation()))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (array(part("Hi"), closed=False), errors.StreamBroken),
        (array(part("Hi")), errors.StreamBroken),
        (array(part("Hi"), '{"candidates": 7}'), errors.AnswerUnreadable),
        (array(part("Hi"), "{broken}"), errors.AnswerUnreadable),
        (array(), errors.AnswerUnreadable),
        (raw(b"<html>", "text/html; charset=UTF-8"), errors.AnswerUnreadable),
        (raw(b"\xff\xfe", "application/json; charset=UTF-8"), errors.AnswerUnreadable),
        (array(part(finish="STOP")), errors.AnswerEmpty),
        (array(part(finish="MAX_TOKENS")), errors.AnswerCut),
        (array(part("Hi"), part(finish="SAFETY")), errors.AnswerBlocked),
        (array({"promptFeedback": {"blockReason": "SAFETY"}}), errors.AnswerBlocked),
    ],
)
def test_an_invalid_answer(server: Loopback, answer: Answer, kind: type[RemoteError]) -> None:
    assert type(failure(server, answer)) is kind


def test_pieces_that_arrived_come_before_the_error(server: Loopback) -> None:
    server.answers = [array(part("Hi"), closed=False)]
    events = service_at(server).stream(HELLO, Cancellation())
    assert next(events) == Piece("Hi", b"Hi")
    with pytest.raises(errors.StreamBroken):
        next(events)


@pytest.mark.parametrize("answer", [array(waits=True), array(part("Hi"), waits=True)])
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


def test_its_warnings_are_silent() -> None:
    program = "import tutor.vendors.gemini_service"
    result = subprocess.run(
        [sys.executable, "-W", "default", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "support" not in result.stderr
    assert result.stdout == ""


def endless(part: bytes, status: int = 200, **headers: str) -> Answer:
    """Return an answer that sends `part` until the client closes the connection."""

    def answer(handler: Handler) -> None:
        handler.begin(status, "application/json", **headers)
        with suppress(OSError):
            while True:
                handler.wfile.write(part)

    return answer


@pytest.mark.parametrize(
    ("part", "status"),
    [(b"[" + b" " * 50_000, 200), (b"x" * 50_000, 400)],
    ids=["white space", "an error"],
)
def test_an_endless_response_is_cut_off(server: Loopback, part: bytes, status: int) -> None:
    error = failure(server, endless(part, status))
    assert isinstance(error, errors.AnswerUnreadable)
    assert "it is larger than 356,000 bytes" in error.happened


@pytest.mark.parametrize("status", [200, 400])
def test_a_compressed_response_is_not_decompressed(server: Loopback, status: int) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    error = failure(server, endless(bomb, status, content_encoding="gzip"))
    assert isinstance(error, errors.AnswerUnreadable)
    assert "it is compressed" in error.happened
    assert server.asked[-1].headers["accept-encoding"] == "identity"
