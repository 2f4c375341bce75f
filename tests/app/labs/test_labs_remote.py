"""Test the labs `scale` and `prompting` on remote models through their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.app.whole_app import sees, until
from tests.labs.few_prompts import few_prompts
from tests.labs.lab_stage import BackendEngine, at_rest, do, lab_app, screen_of, seen, state_of
from tests.vendors import conftest as remote_tests
from tests.vendors.loopback import (
    Loopback,
    chat_event,
    silent,
    status,
    stream,
    text_event,
    usage_event,
)
from tutor.app.model.consent import ConsentScreen
from tutor.vendors import catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

pytest.importorskip("openai")

server = remote_tests.server  # a fixture
TOP = [(" [b]and", -0.5), ("\x1b[31m,", -1.5)]
FOLLOWING = stream(text_event(" and", "length", [(" [b]and", -0.5, TOP)]))
MONTH = stream(chat_event("May", told=[("May", -0.5, [("May", -0.5)])]), chat_event("", "stop"))


async def add(pilot: Pilot[Any], server: Loopback) -> None:
    await do(pilot, "a")
    screen_of(pilot).focused.load(f"openai:some-model {server.url}/v1")  # type: ignore[union-attr]
    await pilot.press("enter")
    await pilot.pause()


def words(pilot: Pilot[Any]) -> str:
    return " ".join(seen(pilot).split())


async def asked_first(pilot: Pilot[Any], server: Loopback, says: str) -> None:
    """Check that the consent screen is open and nothing was sent."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ConsentScreen))
    await sees(pilot, says)
    assert not server.asked


async def test_scale_asks_before_it_sends_and_shows_what_is_hidden(
    server: Loopback, tmp_path: Path
) -> None:
    server.seem_elsewhere()
    server.answers = [FOLLOWING, status(404)]
    async with lab_app("scale", tmp_path, BackendEngine()).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await asked_first(pilot, server, "each new text that you write while this model is")
        await pilot.press("escape")
        await sees(pilot, "nothing was sent")
        assert not server.asked
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConsentScreen))
        await pilot.press("y")
        await sees(pilot, "2 tokens shown, so the entropy is a lower bound")
        await at_rest(pilot)
        assert "not given" in seen(pilot)
        assert "17.0 %" in seen(pilot)  # hidden
        assert "≥ 1.36 bits" in seen(pilot)
        assert "␣[b]and" in seen(pilot)
        assert "\x1b" not in seen(pilot)
        await do(pilot, "tab")
        assert words(pilot).count("not given") >= 4
        await do(pilot, "o")
        assert "some-model" not in seen(pilot)


@pytest.mark.slow
async def test_scale_says_why_a_server_returns_nothing(server: Loopback, tmp_path: Path) -> None:
    server.answers = [status(429, {"error": {"message": "slow down"}}, retry_after="20")]
    async with lab_app("scale", tmp_path).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await sees(pilot, "Try again in 20 seconds")
        await at_rest(pilot)
        assert "Press r to ask again." in words(pilot)
        await do(pilot, "d")
        assert "some-model" not in seen(pilot)
        assert not state_of(pilot).remote.servers
        await do(pilot, "a")
        screen_of(pilot).focused.load("gemini:")  # type: ignore[union-attr]
        await pilot.press("enter")
        await sees(pilot, "Gemini returns no log-probabilities")


@pytest.mark.slow
async def test_prompting_counts_requests_and_keeps_scores_when_stopped(
    server: Loopback,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.seem_elsewhere()
    few = few_prompts(tmp_path_factory.mktemp("few"), monkeypatch)
    next(few)
    server.answers = [MONTH, MONTH, status(429, {"error": {"message": "slow down"}})]
    async with lab_app("prompting", tmp_path, BackendEngine()).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await do(pilot, "right")
        assert "Press r to send 8 requests. This model's price is unknown" in words(pilot)
        await pilot.press("r")
        await asked_first(pilot, server, "8 requests now")
        await pilot.press("escape")
        await sees(pilot, "Nothing was sent")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConsentScreen))
        await pilot.press("y")
        await sees(pilot, "Too many requests")
        await at_rest(pilot)
        assert "Press r to continue (6 left)." in words(pilot)
        assert state_of(pilot).progress.done == 2
        server.answers = [MONTH, silent()]
        await pilot.press("enter")
        await sees(pilot, "3 of 8 answered")
        await pilot.press("enter")
        await sees(pilot, "Press r to send 5 requests")
        assert state_of(pilot).progress.done == 3
        server.answers = [MONTH]
        await do(pilot, "enter")
        assert "Both versions are scored." in seen(pilot)
        await do(pilot, "tab")
        assert "not reported: A 39.3 %, B 39.3 %" in seen(pilot)
        await do(pilot, "d")
        assert "some-model” was removed. Press u to undo." in words(pilot)
        assert state_of(pilot).server is None
    next(few, None)


async def test_the_order_needs_at_least_two_examples(tmp_path: Path) -> None:
    async with lab_app("prompting", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "down", "right")
        assert "no examples to order" in seen(pilot)
        assert "Set “examples” to 2 or more first" in words(pilot)
        assert "A and B are the same" in seen(pilot)


@pytest.mark.parametrize("lab", ["scale", "prompting"])
def test_how_they_look(
    lab: str,
    snap_compare: Any,
    server: Loopback,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The port is replaced, since it changes from run to run."""
    monkeypatch.setattr(catalogue.RemoteModel, "host", "127.0.0.1:8080")
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    few = few_prompts(tmp_path_factory.mktemp("few"), monkeypatch)
    next(few)
    told = [("May", -0.5, [("May", -0.5), ("June", -1.5)])]
    scored = stream(chat_event("May", told=told), chat_event("", "stop"), usage_event(9, 1))
    server.answers = [FOLLOWING, status(404)] if lab == "scale" else [scored]

    async def run(pilot: Any) -> None:
        await do(pilot, *(["n", "n", "n", "n", "right"] if lab == "prompting" else []))
        await add(pilot, server)
        await at_rest(pilot)
        if lab == "prompting":
            await do(pilot, "enter", "tab")
        else:
            await until(pilot, lambda: state_of(pilot).remote.glance is not None)
        await at_rest(pilot)

    assert snap_compare(lab_app(lab, tmp_path), terminal_size=(80, 24), run_before=run)
    next(few, None)
