"""Test Gemini without Google's old client library, through its endpoint for OpenAI's API."""

from __future__ import annotations

import sys
from importlib.util import spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from tests.vendors.loopback import (
    KEY,
    Loopback,
    chat_event,
    raw,
    status,
    stream,
    usage_event,
)
from tutor.errors import ClientMissing, KeyRefused, NotTold, RemoteError
from tutor.lm.distribution import ChatMessage, SamplerSettings
from tutor.vendors.catalogue import RemoteModel, remote_model
from tutor.vendors.keys import Secret
from tutor.vendors.opening import open_service, preload
from tutor.vendors.service import Cancellation, Finish, RemoteRequest, Usage

pytest.importorskip("openai")

HELLO = RemoteRequest(
    (ChatMessage("system", "Be brief."), ChatMessage("user", "Hello")),
    SamplerSettings(0.5, top_p=0.9),
    most_tokens=20,
)


@pytest.fixture
def model(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> RemoteModel:
    """Gemini at the loopback, where the old client library can't be imported."""
    monkeypatch.setitem(sys.modules, "google.generativeai", None)
    monkeypatch.delitem(sys.modules, "tutor.vendors.gemini_service", raising=False)
    named = remote_model("gemini:tiny")
    card = msgspec.structs.replace(named.service, compatible=server.url + "/v1beta/openai")
    return RemoteModel(card, named.name)


def test_the_address_is_of_the_same_host() -> None:
    card = remote_model("gemini:").service
    assert card.compatible.startswith(card.base_url + "/")


def test_a_conversation(server: Loopback, model: RemoteModel) -> None:
    server.answers = [
        stream(chat_event("Hi"), chat_event(" there", "stop"), usage_event(9, 2)),
    ]
    *pieces, finish = open_service(model, Secret(KEY)).stream(HELLO, Cancellation())
    assert pieces
    assert finish == Finish("stop", Usage(9, 2))
    (asked,) = server.asked
    assert asked.path == "/v1beta/openai/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body["model"] == "tiny"
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user"]
    assert asked.body["max_completion_tokens"] == 20
    assert (asked.body["temperature"], asked.body["top_p"]) == (0.5, 0.9)
    assert not {"logprobs", "top_logprobs", "top_k", "seed"} & set(asked.body)


def test_an_invalid_key_has_status_400(server: Loopback, model: RemoteModel) -> None:
    message = f"API key not valid: {KEY}"
    server.answers = [status(400, [{"error": {"code": 400, "message": message}}])]
    with pytest.raises(KeyRefused) as caught:
        list(open_service(model, Secret(KEY)).stream(HELLO, Cancellation()))
    assert KEY not in str(caught.value)


def test_what_it_cannot_do(server: Loopback, model: RemoteModel) -> None:
    with pytest.raises(NotTold, match="cannot continue text"):
        list(open_service(model, Secret(KEY)).stream(RemoteRequest("Once"), Cancellation()))
    assert not server.asked
    server.answers = [raw(b"<html>not a stream</html>", "text/html")]
    with pytest.raises(RemoteError):
        list(open_service(model, Secret(KEY)).stream(HELLO, Cancellation()))


def test_a_gateway_without_this_endpoint_needs_the_library(model: RemoteModel) -> None:
    gateway = remote_model("gemini:tiny", "http://127.0.0.1:9")
    with pytest.raises(ClientMissing):
        open_service(gateway, None)


def test_a_library_that_is_broken_is_not_used(
    server: Loopback, model: RemoteModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "generativeai.py"
    broken.write_text("raise TypeError('Descriptors cannot be created directly.')")
    found = spec_from_file_location("google.generativeai", broken)
    assert found is not None
    finder = SimpleNamespace(
        find_spec=lambda name, *_: found if name == "google.generativeai" else None
    )
    monkeypatch.delitem(sys.modules, "google.generativeai")
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    server.answers = [stream(chat_event("Hi", "stop"))]
    preload(model)
    assert list(open_service(model, Secret(KEY)).stream(HELLO, Cancellation()))
    assert [asked.path for asked in server.asked] == ["/v1beta/openai/chat/completions"]
