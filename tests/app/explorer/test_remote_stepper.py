"""Test stepper and chat on a remote model, with app, engine and a server on the loopback."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until
from tests.later import later
from tests.sample_course import COURSE
from tests.vendors.loopback import (
    KEY,
    Handler,
    Loopback,
    chat_event,
    loopback,
    status,
    stream,
    text_event,
    usage_event,
)
from tutor.app.app import TutorApp
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.model.consent import ConsentScreen
from tutor.engine.client import EngineClient
from tutor.learner.progress import Progress
from tutor.vendors.catalogue import remote_model

if TYPE_CHECKING:
    from textual.pilot import Pilot

    Snap = Callable[..., bool]

pytest.importorskip("openai")

TOP = [
    (" Paris", -0.25),
    (" the", -2.75),
    (" a", -3.5),
    ("[/b]", -4.0),
    ("\x1b[2J", -4.5),
    ("\n", -5.0),
    (" London", -5.5),
]
REPORTED = stream(text_event(" Paris", "length", [(" Paris", -0.25, TOP)]))
WORDS = ("Good", " day", " to", " you")


def silent_words(handler: Handler) -> None:
    """Answer a conversation with text alone, and refuse to continue a text."""
    if handler.path.endswith("chat/completions"):
        events = [chat_event(word) for word in WORDS]
        stream(*events, chat_event(finish="stop"), usage_event(9, 4))(handler)
    else:
        status(404, {"error": {"message": "no completions here"}})(handler)


@pytest.fixture(autouse=True)
def _same_terminal_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    with loopback() as running:
        running.answers = [REPORTED]
        monkeypatch.setenv("TUTOR_BASE_URL", running.url + "/v1")
        monkeypatch.setenv("TUTOR_API_KEY", KEY)
        yield running


def app_on(spec: str, folder: Path) -> TutorApp:
    return TutorApp(COURSE, Progress.open(folder), EngineClient(spec), remote=remote_model(spec))


@asynccontextmanager
async def stepping(folder: Path, size: tuple[int, int] = (80, 24)) -> Any:
    app = app_on("openai:small", folder)
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "small ●")
        app.navigator.open_place("step")
        yield pilot


async def test_rows_are_shown_and_chosen(server: Loopback, tmp_path: Path) -> None:
    async with stepping(tmp_path) as pilot:
        await sees(pilot, "The server shows 7 tokens")
        said = shown(pilot.app)
        assert "77.9 %" in said
        assert "[/b]" in said
        assert "␛[2J" in said
        assert "ln p" in said
        assert "at least" in said
        hidden = 1 - sum(2.718281828459045**value for _, value in TOP)
        assert f"hides {100 * hidden:.1f} %" in said
        await keys(pilot, "2")
        await sees(pilot, "chosen by you")
        await sees(pilot, "3.97 bits")  # 2.75 nats
        last = "The capital of France is the"
        await until(pilot, lambda: server.asked[-1].body["prompt"] == last)
        await keys(pilot, "enter")
        await sees(pilot, "drawn by the model")
        await keys(pilot, "u", "u", "f")
        await sees(pilot, "New branch 2")
        assert KEY not in shown(pilot.app)
        assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"


async def test_the_sampler_is_applied_to_the_rows_shown(server: Loopback, tmp_path: Path) -> None:
    async with stepping(tmp_path) as pilot:
        await sees(pilot, "The server shows 7 tokens")
        asked = len(server.asked)
        await keys(pilot, "t", "down", "right")
        await sees(pilot, "of 7 shown tokens kept")
        assert len(server.asked) == asked


async def test_messages_say_what_is_not_possible(server: Loopback, tmp_path: Path) -> None:
    async with stepping(tmp_path) as pilot:
        await sees(pilot, "The server shows 7 tokens")
        await keys(pilot, "x")
        await sees(pilot, "There is no x-ray")
        await keys(pilot, "equals_sign")
        await sees(pilot, "There is nothing to compare")
        await keys(pilot, "slash", "z")
        await sees(pilot, "A server does not report its vocabulary")
        await keys(pilot, "escape", "escape")
        pilot.app.navigator.open_place("guess")
        await sees(pilot, "The guessing game needs the probability")
        pilot.app.navigator.open_live_lab("tokens")
        await sees(pilot, "This lab inspects a local model")


@pytest.mark.slow
async def test_a_request_can_be_repeated_after_a_refused_key(
    server: Loopback, tmp_path: Path
) -> None:
    server.answers = [status(401, {"error": {"message": f"bad key {KEY}"}})]
    async with stepping(tmp_path) as pilot:
        await sees(pilot, "The API key was rejected")
        assert KEY not in shown(pilot.app)
        assert "***" in shown(pilot.app)
        server.answers = [REPORTED]
        await keys(pilot, "enter")
        await sees(pilot, "The server shows")


async def test_rows_of_an_earlier_position_go_when_the_server_fails(
    server: Loopback, tmp_path: Path
) -> None:
    server.answers = [REPORTED, REPORTED, status(500)]
    async with stepping(tmp_path) as pilot:
        await sees(pilot, "The server shows 7 tokens")
        await keys(pilot, "r")
        await sees(pilot, "The server reported an error")
        assert "next token  enter retries" in shown(pilot.app)
        assert "77.9 %" not in shown(pilot.app)
        server.answers = [REPORTED]
        await keys(pilot, "enter")
        await sees(pilot, "77.9 %")
        assert "enter retries" not in shown(pilot.app)


async def test_a_conversation_without_probabilities_can_be_read(
    server: Loopback, tmp_path: Path
) -> None:
    server.answers = [silent_words]
    app = app_on("openai:small", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "small ●")
        app.navigator.open_place("chat")
        await sees(pilot, "your message")
        await keys(pilot, "H", "i", "enter")
        await sees(pilot, "Good day to you")
        await sees(pilot, "esc then s: another answer")
        await keys(pilot, "escape", "u", "left", "left")
        await sees(pilot, "returns only text here, no probabilities")
        await sees(pilot, "not reported")


async def test_the_learner_is_asked_before_anything_leaves_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    app = app_on("claude:", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "claude-sonnet-5-5 ●")
        app.navigator.open_place("chat")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await sees(pilot, "The whole text or conversation that you step")
        await keys(pilot, "escape")
        await sees(pilot, "Nothing was sent")
        assert not app.engine.allowed(remote_model("claude:"))
        app.navigator.open_place("chat")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await keys(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, ExplorerScreen))
        assert app.engine.allowed(remote_model("claude:"))


async def test_the_model_screen_names_the_server(server: Loopback, tmp_path: Path) -> None:
    app = app_on("openai:small", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "small ●")
        app.navigator.open_place("model")
        await sees(pilot, server.url)
        assert KEY not in shown(app)


@pytest.mark.parametrize("size", [(80, 24), *later([(40, 12), (120, 30)])])
def test_how_it_looks(
    snap_compare: Snap, server: Loopback, tmp_path: Path, size: tuple[int, int]
) -> None:
    app = app_on("openai:small", tmp_path)

    async def stepped(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.model_status.ready)
        app.navigator.open_place("step")
        await sees(pilot, "7 tokens")
        await keys(pilot, "2")
        await sees(pilot, "chosen by you" if size[0] >= 60 else "3.97 bits")
        await sees(pilot, "›◆")  # the server has answered for the token that was chosen
        await pilot.pause()

    before: Callable[[Pilot[Any]], Awaitable[None]] = stepped
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the libraries of another process")
async def test_the_client_library_is_loaded_before_the_first_request(
    server: Loopback, tmp_path: Path
) -> None:
    app = app_on("openai:small", tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "small ●")
        assert isinstance(app.engine, EngineClient)
        process = psutil.Process(app.engine.pid)
        await until(pilot, lambda: any("pydantic" in map_.path for map_ in process.memory_maps()))
        assert server.asked == []
