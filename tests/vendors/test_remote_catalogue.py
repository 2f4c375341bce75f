from __future__ import annotations

import re

import pytest

from tutor.course import facts
from tutor.course.folder import FACTS
from tutor.errors import UsageError
from tutor.paths import lessons_folder
from tutor.vendors.catalogue import (
    OWN,
    catalogue,
    is_loopback,
    is_remote,
    remote_model,
    use_base_url,
)

GEMINI = "generativelanguage.googleapis.com"


def test_every_service_has_a_price_and_a_context_from_the_facts() -> None:
    course = {
        fact.id: fact
        for fact in facts.read_facts((lessons_folder() / FACTS).read_text("utf-8"), "facts")
    }
    prices = {"openai": "chatgpt-price", "claude": "claude-price", "gemini": "gemini-price"}
    for card in catalogue():
        assert re.fullmatch(r"\d{4}-\d{2}", card.as_of)
        assert card.source.startswith("https://")
        assert card.base_url.startswith("https://")
        assert card.context is not None
        fact = course[prices[card.id]]
        assert card.price is not None
        assert fact.value == f"{card.price.prompt:g} / {card.price.answer:g} {card.price.model}"
        assert (card.price.as_of, card.price.source) == (fact.as_of, fact.source)
        assert card.price.second_hand == fact.second_hand


def test_what_an_answer_costs() -> None:
    model = remote_model("claude:")
    assert model.price is not None
    assert model.price.cost(1_000_000, 100_000) == pytest.approx(
        model.price.prompt + model.price.answer / 10
    )
    assert remote_model("claude:another-model").price is None


def test_names() -> None:
    default = remote_model("gemini:")
    assert default.name == default.service.model
    assert default.host == "generativelanguage.googleapis.com"
    assert not default.here
    own = remote_model("openai:org/name:tag", "http://127.0.0.1:8000/v1/")
    assert (own.name, own.host, own.here) == ("org/name:tag", "127.0.0.1:8000", True)
    assert own.service.id == OWN
    assert own.spec == "openai:org/name:tag"
    assert own.price is None
    assert not own.encrypted


def test_the_base_url_of_a_known_service_is_that_service() -> None:
    model = remote_model("openai:x", "https://api.anthropic.com/v1/")
    assert model.service.id == "claude"
    assert model.service.key_variables == ("ANTHROPIC_API_KEY",)
    gemini = remote_model("openai:x", "https://generativelanguage.googleapis.com/v1beta/openai")
    assert (gemini.service.id, gemini.service.adapter) == ("gemini", "openai")


def test_a_key_is_never_for_another_address() -> None:
    for address in (
        "https://api.openai.com.evil.example/v1",
        "http://api.openai.com/v1",  # not encrypted
        "https://api.openai.com:444/v1",
        "https://evil.example/api.openai.com",
    ):
        model = remote_model("openai:x", address)
        assert model.service.id == OWN, address
        assert model.service.key_variables == ("TUTOR_API_KEY",)


def test_the_base_url_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_BASE_URL", "http://cluster:8000/v1")
    assert remote_model("openai:x").host == "cluster:8000"
    assert remote_model("gemini:x").host == "generativelanguage.googleapis.com"
    monkeypatch.setenv("TUTOR_MODEL", "openai:y")
    assert is_remote(None)
    assert remote_model(None).name == "y"


def test_a_base_url_is_for_the_service_of_its_model_only() -> None:
    use_base_url("http://gateway:4000", "gemini:")
    gemini = remote_model("gemini:")
    assert (gemini.host, gemini.service.adapter) == ("gateway:4000", "gemini")
    assert gemini.service.key_variables == ("TUTOR_API_KEY",)
    assert gemini.name == remote_model("gemini:", "https://" + GEMINI).name
    assert gemini.spec == f"gemini:{gemini.name}"
    assert remote_model("openai:x").host == "api.openai.com"
    assert remote_model("claude:x").host == "api.anthropic.com"
    with pytest.raises(UsageError, match="only with a remote model"):
        use_base_url("http://gateway:4000", "model.gguf")


@pytest.mark.parametrize(
    "host", ["gpu_1:8000", "10.0.0.7", "[::1]:8080", "node-3.cluster.example", "bücher.example"]
)
def test_addresses_of_servers(host: str) -> None:
    assert remote_model("openai:x", f"http://{host}/v1").host == host


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "ftp://x/v1",
        "http://",
        "http://user:secret@x/v1",
        "http://x/v1?key=1",
        "http://x:99999/v1",
        "http://x:0/v1",
        "http://[::1/v1",
        "http://x/\x1b[2J",
        "http://not a host/v1",
        "http://host/v1 and more",
        "http://a..b/v1",
        "http://-x/v1",
        "http://x!/v1",
        "http://300.1.1.1/v1",
        "http://" + "x" * 64,
    ],
)
def test_invalid_addresses_of_servers(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        remote_model("openai:x", address)
    assert "secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("spec", ["", "hf:a/b", "model.gguf", "Openai:x", "openai", "other:x"])
def test_specifications_of_local_models(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUTOR_MODEL", raising=False)
    assert not is_remote(spec)
    with pytest.raises(UsageError):
        remote_model(spec)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "x" * 300])
def test_invalid_specifications(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        remote_model(f"openai:{name}")
    assert "\x1b" not in str(caught.value)


def test_a_server_outside_the_catalogue_needs_a_model_name() -> None:
    with pytest.raises(UsageError):
        remote_model("openai:", "http://127.0.0.1:8000/v1")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://localhost/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://localhost.evil.example/v1", False),
        ("http://127.0.0.1.evil.example/v1", False),
    ],
)
def test_loopback(url: str, *, here: bool) -> None:
    assert is_loopback(url) is here
