"""Test the engine's process with a remote model on a server on the loopback."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.vendors.loopback import KEY, Handler, Loopback, loopback, silent, stream, text_event
from tutor import paths
from tutor.engine.client import EngineClient
from tutor.engine.wire import Allow
from tutor.errors import LabError, NotAllowed, NotTold
from tutor.lm.distribution import PLAIN, ChatMessage
from tutor.lm.saved_steering import Applied, SavedVector, packed
from tutor.vendors.catalogue import remote_model

pytest.importorskip("openai")

TOP = [(" a", -0.5), (" b", -1.5), (" c", -3.0)]


def letters(handler: Handler) -> None:
    """Return the same three tokens after any text; no prompt is echoed."""
    stream(text_event(" a", "length", [(" a", -0.5, TOP)]))(handler)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    with loopback() as running:
        running.answers = [letters]
        monkeypatch.setenv("TUTOR_BASE_URL", running.url + "/v1")
        yield running


@asynccontextmanager
async def engine(model: str = "openai:small") -> AsyncIterator[EngineClient]:
    running = EngineClient(model)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


async def restart_process(running: EngineClient) -> None:
    generation = running.generation
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    while running.generation == generation:
        await asyncio.sleep(0.01)


def test_the_message_with_a_key_does_not_show_it() -> None:
    assert KEY not in f"{Allow('host', KEY)!r} {Allow('host', KEY)}"


async def test_it_is_ready_at_once_and_sends_nothing(server: Loopback) -> None:
    async with engine() as running:
        card = await running.ready()
        assert (card.remote, card.name, card.shows) == (True, "small", 20)
        assert server.asked == []


async def test_a_text_can_be_stepped(server: Loopback) -> None:
    async with engine() as running:
        session = await running.open_text("One two")
        assert [token.data for token in session.tokens] == [b"One two"]
        found = await session.distribution(1, PLAIN, 0, 60)
        assert [row.token.data for row in found.rows] == [b" a", b" b", b" c"]
        session.append([found.rows[1].token])
        again = await session.distribution(2, PLAIN, 0, 60)
        assert server.asked[-1].body["prompt"] == "One two b"
        assert [row.token for row in again.rows] == [row.token for row in found.rows]
        (bits,) = await session.surprisals(1)
        assert bits == pytest.approx(1.5 / 0.6931471805599453)


@pytest.mark.slow
async def test_tokens_mean_the_same_after_a_restart(server: Loopback) -> None:
    async with engine() as running:
        session = await running.open_text("One two")
        found = await session.distribution(1, PLAIN, 0, 60)
        await restart_process(running)
        session.append([found.rows[2].token])  # the new engine has never seen this token
        await session.distribution(2, PLAIN, 0, 60)
        assert server.asked[-1].body["prompt"] == "One two c"


@pytest.mark.slow
async def test_a_slow_server_delays_no_other_request(server: Loopback) -> None:
    async with engine() as running:
        slow = await running.open_text("Slow")
        other = await running.open_text("Other")
        await other.distribution(1, PLAIN, 0, 60)  # known from now on
        server.answers = [silent(headers=False)]
        asked = len(server.asked)
        waiting = asyncio.create_task(slow.distribution(1, PLAIN, 0, 60))
        while len(server.asked) == asked:
            await asyncio.sleep(0.01)
        found = await other.distribution(1, PLAIN, 0, 60)
        assert found.rows
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        server.answers = [letters]
        assert (await slow.distribution(1, PLAIN, 0, 60)).rows


async def test_questions_that_only_a_local_model_answers(server: Loopback) -> None:
    from tutor.labs.kit.registry import find

    async with engine() as running:
        session = await running.open_text("One two")
        with pytest.raises(NotTold):
            await session.find(1, PLAIN, "x", 5)
        with pytest.raises(NotTold):
            await session.xray(0, 0)
        with pytest.raises(NotTold):
            await running.tokenize("x")
        lab = find("tokens")
        with pytest.raises(LabError, match="is remote"):
            await running.lab_backend(lab).answer(lab.question(lab.start()))


async def test_steering_is_refused_and_can_be_stopped(server: Loopback) -> None:
    vector = SavedVector(
        name="it", model="m", model_name="M", layer=0, first=("a",), second=("b",),
        values=packed([1.0]),
    )  # fmt: skip
    async with engine() as running:
        session = await running.open_text("One two")
        session.steer(Applied(vector, 1.0))
        with pytest.raises(NotTold, match="doesn't expose the model's internals"):
            await session.distribution(1, PLAIN, 0, 60)
        session.steer(None)
        assert (await session.distribution(1, PLAIN, 0, 60)).rows


async def test_nothing_is_sent_to_another_machine_unless_it_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    async with engine("claude:") as running:
        session = await running.open_chat([ChatMessage("user", "Hello")])
        with pytest.raises(NotAllowed):
            await session.distribution(len(session.tokens), PLAIN, 0, 60)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux")
async def test_keys_reach_the_engine_only_with_consent(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "-another")
    async with engine() as running:
        await running.ready()
        environment = Path(f"/proc/{running.pid}/environ").read_bytes()
        assert KEY.encode() not in environment
        session = await running.open_text("One two")
        await session.distribution(1, PLAIN, 0, 60)
        assert KEY not in str([asked.headers for asked in server.asked])
        running.allow(remote_model("openai:small"))
        session.append(session.tokens)
        await session.distribution(2, PLAIN, 0, 60)
        assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
        await restart_process(running)  # the new engine gets the consent again
        session.append(session.tokens[:1])
        await session.distribution(3, PLAIN, 0, 60)
        assert server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
    assert KEY.encode() not in paths.log_file().read_bytes()
