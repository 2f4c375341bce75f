"""Test the command line with a remote model: a local server that serves the small model."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.command_line import Tutor
from tests.labs.lab_backend import small_model
from tests.vendors.loopback import KEY, Loopback, chat_event, loopback, status, stream, usage_event
from tests.vendors.model_server import model_server
from tutor.lm.chat import text_ids
from tutor.lm.distribution import PLAIN
from tutor.lm.session import Session

pytest.importorskip("openai")

TEXT = "The capital of France is"


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with model_server(small_model()) as running:
        yield running


def test_a_step_has_the_rows_of_the_model(tutor: Tutor, server: Loopback) -> None:
    outcome = tutor(
        "step", TEXT, "--model", "openai:small", "--base-url", server.url + "/v1", "--json"
    )
    assert outcome.status == 0
    report = json.loads(outcome.out)
    assert report["model"]["format"] == "remote"
    assert "prompt_ids" not in report
    (only,) = report["steps"]
    local = Session(small_model(), text_ids(small_model(), TEXT))
    expected = local.distribution(len(local), PLAIN, 0, 10)
    told = local.distribution(len(local), PLAIN, 0, 20)  # the server shows this many
    for row, other in zip(only["top"], expected.rows, strict=True):
        assert (row["rank"], row["bytes"]) == (other.rank, other.token.data.hex())
        assert row["probability"] == pytest.approx(other.probability, abs=1e-6)
        assert not {"id", "logit"} & set(row)
    assert only["hidden_probability"] == pytest.approx(told.left_out, abs=1e-6)
    assert only["entropy_bits"] <= expected.entropy_bits


def test_steps_for_people(tutor: Tutor, server: Loopback) -> None:
    address = server.url + "/v1"
    outcome = tutor(
        "step", TEXT, "--greedy", "--steps", "2", "--model", "openai:x", "--base-url", address
    )
    assert outcome.status == 0
    assert "entropy at least" in outcome.out
    assert "ln p" in outcome.out
    assert "the whole text" in outcome.out.lower()


def test_rows_beyond_top_do_not_count_as_hidden_by_the_server(
    tutor: Tutor, server: Loopback
) -> None:
    options = ("step", TEXT, "--model", "openai:small", "--base-url", server.url + "/v1")
    fewer, all_rows = (tutor(*options, "--top", top).out for top in ("3", "20"))
    assert "in reported tokens not shown" in fewer
    assert "not shown" not in all_rows
    hidden = fewer.splitlines()[-1]
    assert hidden.endswith("in tokens that the server does not report")
    assert hidden == all_rows.splitlines()[-1]


def test_steps_of_a_server_without_log_probabilities(tutor: Tutor) -> None:
    with model_server(small_model(), tells=False) as silent:
        address = silent.url + "/v1"
        options = ("--greedy", "--steps", "2", "--model", "openai:x", "--base-url", address)
        outcome = tutor("step", "What is an apple?", "--chat", *options)
    assert outcome.status == 0
    assert outcome.out.count("the server reports no probabilities\nTaken: ") == 2
    assert "entropy" not in outcome.out


def test_a_check_reports_the_servers_abilities(tutor: Tutor, server: Loopback) -> None:
    outcome = tutor("model", "check", "openai:small", "--base-url", server.url + "/v1")
    assert outcome.status == 0
    said = dict(line.split("  ", 1) for line in outcome.out.splitlines())
    said = {label: text.strip() for label, text in said.items()}
    assert said["reachable"] == "yes"
    assert said["key"] == "none"
    assert said["log-probabilities"] == "up to 20 tokens at each position"
    assert said["prompt tokens"] == "reported"
    assert said["the stepper"] == "works"
    assert said["conversations"] == "works"
    assert said["token ids"] == "not reported"
    assert float(said["time to first token"].removesuffix(" s")) >= 0


def test_a_check_of_a_server_without_log_probabilities(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_API_KEY", KEY)
    with loopback() as server:
        events = [chat_event(text) for text in ("One", ", two", ", three")]
        server.answers = [
            stream(*events, chat_event(finish="stop"), usage_event(20, 5)),
            status(404, {"error": "no such path"}),
        ]
        outcome = tutor("model", "check", "openai:x", "--base-url", server.url)
        assert outcome.status == 0
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert "accepted" in outcome.out
    assert "does not work, but chat works" in outcome.out
    assert KEY not in outcome.out + outcome.err


def test_tokens_are_counted_as_the_service_bills_them(tutor: Tutor) -> None:
    told = [(word, -0.5, [(word, -0.5)]) for word in ("One", ",", " two", "")]  # and an end token
    events = [chat_event(token[0], told=[token]) for token in told]
    for usage, expected in (([usage_event(20, 3)], "3"), ([usage_event(20, 7)], "7"), ([], "3")):
        with loopback() as server:
            server.answers = [
                stream(*events, chat_event(finish="stop"), *usage),
                status(404, {"error": "no such path"}),
            ]
            outcome = tutor("model", "check", "openai:x", "--base-url", server.url)
        assert f"answer tokens        {expected}\n" in outcome.out


@pytest.mark.parametrize(("code", "said"), [(401, "refused"), (429, "unknown"), (500, "unknown")])
def test_a_failed_check_reports_the_reason(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    monkeypatch.setenv("TUTOR_API_KEY", KEY)
    with loopback() as server:
        server.answers = [status(code, {"error": {"message": f"no {KEY}"}})]
        outcome = tutor("model", "check", "openai:x", "--base-url", server.url)
    assert outcome.status == 1
    assert f"key                  {said}" in outcome.out
    assert "reachable            yes" in outcome.out
    assert KEY not in outcome.out + outcome.err
    assert "***" in outcome.err


def test_a_check_without_a_key_sends_nothing(tutor: Tutor) -> None:
    outcome = tutor("model", "check", "claude:")
    assert outcome.status == 1
    assert "nothing was sent" in outcome.out
    assert "ANTHROPIC_API_KEY" in outcome.err
    assert "Sending" not in outcome.err


def test_the_list_has_services_with_a_key(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "api.anthropic.com" not in tutor("model", "list").out
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    listed = tutor("model", "list")
    assert "Claude at api.anthropic.com" in listed.out
    as_json = tutor("model", "list", "--json").out
    (remote,) = [each for each in json.loads(as_json) if each["kind"] == "remote"]
    assert remote["name"].startswith("claude:")
    assert KEY not in listed.out + as_json


def test_a_service_that_cannot_continue_text_is_reported(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    outcome = tutor("step", TEXT, "--model", "claude:")
    assert outcome.status == 1
    assert "does not return log-probabilities" in outcome.err
    assert "use `tutor step --chat`" in outcome.err


@pytest.mark.parametrize("spec", ["claude:", "claude:x", "openai:x"])
def test_text_goes_to_the_base_url_and_without_the_vendor_s_key(
    tutor: Tutor, monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with loopback() as server:
        server.answers = [stream(chat_event("Hello"), chat_event(finish="stop"))]
        outcome = tutor("step", "Hi", "--chat", "--model", spec, "--base-url", server.url + "/v1")
    assert outcome.status == 0
    assert {each.path for each in server.asked} == {"/v1/chat/completions"}
    assert KEY not in str([each.headers for each in server.asked])


@pytest.mark.parametrize(
    "command",
    [
        ["step", "x"],
        ["step", "x", "--model", "small-model"],
        ["diff", "x", "y", "--model", "small-model"],
        ["why", "x", "--model", "hf:owner/repo"],
        ["model", "check", "small-model"],
        ["lab", "compare"],
    ],
)
def test_a_base_url_needs_a_remote_model(tutor: Tutor, command: list[str]) -> None:
    outcome = tutor(*command, "--base-url", "http://127.0.0.1:9/v1")
    assert outcome.status == 2
    assert "works only with a remote model" in outcome.err
    assert not outcome.out


@pytest.mark.parametrize("arguments", [["--base-url", "nonsense"], ["--model", "claude:\x1b"]])
def test_wrong_usage(tutor: Tutor, arguments: list[str]) -> None:
    outcome = tutor("step", "x", "--model", "openai:y", *arguments)
    assert outcome.status == 2
    assert outcome.err
