"""Test answers in progress, each in a thread, with a real server on the loopback."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import msgspec
import pytest

from tests.vendors.loopback import (
    KEY,
    Loopback,
    Told,
    broken,
    chat_event,
    silent,
    status,
    stream,
    text_event,
    usage_event,
    whole,
)
from tutor.errors import NotAllowed
from tutor.lm.distribution import ChatMessage
from tutor.vendors.catalogue import RemoteModel, remote_model
from tutor.vendors.keys import Secret
from tutor.vendors.permissions import Permissions
from tutor.vendors.runs import Progress, RemoteRuns, Run, RunLimits
from tutor.vendors.service import Cancellation, Finish, Piece, RemoteRequest, Usage

pytest.importorskip("openai")

HELLO = RemoteRequest((ChatMessage("user", "Hello"),))
HI, YOU, END = chat_event("Hi"), chat_event(" you"), chat_event(finish="stop")


def at(server: Loopback) -> RemoteModel:
    return remote_model("openai:tiny", server.url + "/v1")


def until_over(runs: RemoteRuns, name: str) -> Progress:
    return until(runs, name, lambda progress: progress.over)


def until(runs: RemoteRuns, name: str, holds: Callable[[Progress], bool]) -> Progress:
    while True:
        progress = runs.look(name)
        if holds(progress):
            return progress
        runs._runs[name].wait(0.05)


def test_a_run_from_beginning_to_end(server: Loopback) -> None:
    server.answers = [stream(HI, YOU, END, usage_event(5, 2))]
    runs = RemoteRuns()
    runs.start("a", at(server), HELLO)
    progress = until_over(runs, "a")
    assert "".join(piece.text for piece in progress.pieces) == "Hi you"
    assert progress.finish == Finish("stop", Usage(5, 2))
    assert progress.trouble is None
    assert progress.first_after is not None
    assert progress.last_after is not None
    assert 0 <= progress.first_after <= progress.last_after <= progress.seconds
    rest = runs.look("a", since=1)
    assert [piece.text for piece in rest.pieces] == [" you"]
    assert rest.arrived == 2


def test_a_text_is_returned_with_its_log_probabilities(server: Loopback) -> None:
    told: list[Told] = [("a", 0.0, []), (" b", -1.5, []), (" c", -0.5, [])]
    server.answers = [whole(text_event("a b c", "length", told))]
    runs = RemoteRuns()
    runs.read("a", at(server), "a b")
    progress = until_over(runs, "a")
    assert [(piece.data, piece.log_probability) for piece in progress.pieces][1] == (b" b", -1.5)
    server.answers = [status(404)]
    runs.read("a", at(server), "a b")
    assert until_over(runs, "a").trouble is not None
    with pytest.raises(NotAllowed):
        runs.read("a", remote_model("openai:x", "http://192.0.2.1/v1"), "a b")


def test_fewer_alternatives_are_requested_after_a_refusal(server: Loopback) -> None:
    refused = status(400, {"error": {"message": "logprobs must be at most 5"}})
    told = chat_event("Hi", "stop", [("Hi", -0.5, [("Hi", -0.5)])])
    server.answers = [refused, stream(told), stream(told)]
    runs = RemoteRuns()
    for name in ("a", "b"):
        runs.start(name, at(server), msgspec.structs.replace(HELLO, top=20))
        assert until_over(runs, name).pieces[0].alternatives
    assert [asked.body["top_logprobs"] for asked in server.asked] == [20, 5, 5]


def test_pieces_that_arrived_before_an_error_are_kept(server: Loopback) -> None:
    server.answers = [broken(HI, YOU)]
    runs = RemoteRuns()
    runs.start("a", at(server), HELLO)
    progress = until_over(runs, "a")
    assert [piece.text for piece in progress.pieces] == ["Hi", " you"]
    assert progress.trouble is not None
    assert progress.trouble.kind == "StreamBroken"
    assert progress.trouble.title == "The answer was interrupted"


def test_cancelling_takes_effect_at_once(server: Loopback) -> None:
    server.answers = [silent(HI)]
    runs = RemoteRuns()
    runs.start("a", at(server), HELLO)
    until(runs, "a", lambda progress: progress.arrived == 1)
    runs.cancel("a")
    progress = runs.look("a")
    assert progress.over
    assert progress.trouble is not None
    assert progress.trouble.kind == "RequestCancelled"
    assert progress.arrived == 1


def test_several_at_once(server: Loopback) -> None:
    server.answers = [silent(HI), stream(YOU, END)]
    runs = RemoteRuns()
    runs.start("slow", at(server), HELLO)
    until(runs, "slow", lambda progress: progress.arrived == 1)
    runs.start("quick", at(server), HELLO)
    assert until_over(runs, "quick").finish is not None
    assert not runs.look("slow").over
    runs.close()
    assert runs.look("slow").over


def test_an_unknown_run_is_reported_as_interrupted() -> None:
    progress = RemoteRuns().look("a", since=7)
    assert progress.arrived == 7
    assert progress.trouble is not None
    assert progress.trouble.kind == "StreamBroken"


def test_nothing_is_sent_without_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Secret | None] = []
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    permissions = Permissions()

    def open_(model: RemoteModel, key: Secret | None) -> Silent:
        opened.append(key)
        return Silent()

    runs = RemoteRuns(permissions, open_)
    with pytest.raises(NotAllowed) as caught:
        runs.start("a", remote_model("claude:"), HELLO)
    assert "api.anthropic.com" in caught.value.happened
    assert opened == []
    permissions.allow("api.anthropic.com")
    runs.start("a", remote_model("claude:"), HELLO)
    until_over(runs, "a")
    assert [key.reveal() for key in opened if key] == [KEY]
    offers = {offer.card.id: offer for offer in runs.offers()}
    assert (offers["claude"].has_key, offers["claude"].allowed) == (True, True)
    assert (offers["openai"].has_key, offers["openai"].allowed) == (False, False)


def test_a_missing_key_is_reported() -> None:
    permissions = Permissions()
    permissions.allow("api.openai.com")
    runs = RemoteRuns(permissions)
    runs.start("a", remote_model("openai:"), HELLO)
    progress = until_over(runs, "a")
    assert progress.trouble is not None
    assert progress.trouble.kind == "KeyMissing"
    assert "OPENAI_API_KEY" in progress.trouble.next_step


@pytest.mark.parametrize(("first", "count"), [(0.0, 0), (1e9, 1)])
def test_a_silent_server(server: Loopback, first: float, count: int) -> None:
    server.answers = [silent(HI) if count else silent(headers=False)]
    runs = RemoteRuns(limits=RunLimits(first_piece=first, next_piece=0.0))
    runs.start("a", at(server), HELLO)
    progress = until_over(runs, "a")
    assert progress.trouble is not None
    assert progress.trouble.kind == "RemoteTimeout"
    assert progress.arrived == count


def test_a_server_that_does_not_stop_is_stopped() -> None:
    def events(cancellation: Cancellation) -> Iterator[Piece]:
        while True:
            yield Piece("word " * 10, b"word " * 10)

    run = Run(events, RunLimits(bytes=1000))
    while not run.progress().over:
        run.wait(0.05)
    progress = run.progress()
    assert progress.trouble is not None
    assert progress.trouble.kind == "AnswerUnreadable"
    assert progress.arrived == 21


def test_an_internal_error_reveals_no_key(caplog: pytest.LogCaptureFixture) -> None:
    def events(cancellation: Cancellation) -> Iterator[Piece]:
        raise RuntimeError(f"Authorization: Bearer {KEY}")

    with caplog.at_level(logging.DEBUG):
        run = Run(events)
        while not run.progress().over:
            run.wait(0.05)
    trouble = run.progress().trouble
    assert trouble is not None
    assert trouble.kind == "EngineError"
    assert KEY not in caplog.text + trouble.happened
    assert "RuntimeError" in caplog.text


def test_the_key_is_never_logged(
    server: Loopback, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    server.answers = [status(401, {"error": {"message": f"no: {KEY}"}}), stream(HI, END)]
    permissions = Permissions()
    permissions.allow(at(server).host, Secret(KEY))
    runs = RemoteRuns(permissions)
    with caplog.at_level(logging.DEBUG):
        for name in ("refused", "fine"):
            runs.start(name, at(server), HELLO)
            until_over(runs, name)
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    heard = capfd.readouterr()
    everything = caplog.text + heard.out + heard.err + repr(runs.look("refused"))
    assert KEY not in everything


class Silent:
    """A service that ends its response immediately."""

    def stream(self, request: RemoteRequest, cancellation: Cancellation) -> Iterator[Finish]:
        yield Finish("stop")

    def prompt_tokens(self, text: str, cancellation: Cancellation) -> tuple[Piece, ...] | None:
        return None
