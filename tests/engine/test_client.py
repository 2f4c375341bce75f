"""Test the engine's client with engines that behave well and engines that misbehave."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.engine.scripted_channel import (
    Looks,
    ScriptedChannel,
    Starts,
    only_pings,
    reached,
    serve,
    silent,
)
from tests.engine.scripted_engine import answer
from tutor.engine.api import EngineState
from tutor.engine.client import EngineClient
from tutor.engine.liveness import LOOKS, Liveness
from tutor.engine.reach import PATIENCE, Patience, Reach
from tutor.engine.wire import (
    Append,
    AskSurprisals,
    Cancel,
    Close,
    EngineLoad,
    Failed,
    Length,
    Loading,
    Ping,
    ToEngine,
    Tokenize,
)
from tutor.errors import EngineError, ModelError, ModelNotFound
from tutor.lm.distribution import Token

SCRIPT = Path(__file__).with_name("scripted_engine.py")


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))


@asynccontextmanager
async def started(starts: Starts, patience: Patience = PATIENCE) -> AsyncIterator[EngineClient]:
    """Return a client whose engines run in this process."""
    engine = starts.client(patience)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


@asynccontextmanager
async def running(behavior: str, looks: Looks | None = None) -> AsyncIterator[EngineClient]:
    """Return a client whose engines are processes.

    They are checked for silence only when `looks` allows it.
    """
    reach = Reach(None, command=[sys.executable, str(SCRIPT), behavior])
    engine = EngineClient(reach=reach, liveness=Liveness((looks or Looks()).sleep))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def token(letter: str) -> Token:
    return Token(ord(letter), letter, letter.encode())


async def test_a_session_follows_what_is_done_with_it() -> None:
    async with started(Starts()) as engine:
        session = await engine.open_text("abc")
        session.append([token("d"), token("e")])
        assert [t.text for t in session.tokens] == list("abcde")
        assert await session.surprisals() == (5.0,) * 5
        session.go_back(2)
        other = await session.fork(1)
        assert [t.text for t in session.tokens] == ["a", "b"]
        assert [t.text for t in other.tokens] == ["a"]
        assert await other.surprisals() == (1.0,) * 1
        await other.close()
        assert await session.surprisals() == (2.0,) * 2


async def test_an_unwatched_engine_reports_nothing_more() -> None:
    engine = Starts().client()
    heard: list[EngineState] = []
    stop = [lambda: None]
    engine.watch(lambda e: stop[0]())
    stop[0] = engine.watch(lambda e: heard.append(e.state))
    await engine.start()
    await engine.ready()
    await engine.stop()
    assert heard == []


async def test_states_are_announced_in_order() -> None:
    engine = Starts().client()
    seen: list[EngineState] = []
    engine.watch(lambda e: seen.append(e.state))
    gone: list[EngineState] = []
    engine.watch(lambda e: gone.append(e.state))()  # stop watching at once
    with pytest.raises(EngineError, match="not running"):
        await engine.ready()
    await engine.start()
    card = await engine.ready()
    assert card.name == "scripted"
    assert engine.model == card
    await engine.stop()
    await asyncio.sleep(0)
    assert engine.state is EngineState.STOPPED
    assert seen[0] is EngineState.STARTING
    assert seen[-1] is EngineState.STOPPED
    assert EngineState.READY in seen
    assert gone == []


def dying(channel: ScriptedChannel, message: ToEngine) -> None:
    """Die at the first request."""
    channel.kill()


async def test_a_crash_is_reported_and_survived() -> None:
    starts = Starts(dying, serve, ready=False)
    async with started(starts) as engine:
        (await starts.channel(1)).become_ready()
        with pytest.raises(EngineError, match="signal 9"):
            await engine.open_text("abc")
        assert engine.failure is not None
        (await starts.channel(2)).become_ready()
        session = await engine.open_text("abc")
        assert engine.failure is None
        assert await session.surprisals() == (3.0,) * 3


async def test_sessions_continue_after_kill_9() -> None:
    async with running("serve") as engine:
        session = await engine.open_text("abc")
        session.append([token("d")])
        first = engine.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await reached(engine, EngineState.STARTING)
        assert engine.failure is not None
        assert "SIGKILL" in engine.failure.happened
        assert await session.surprisals() == (4.0,) * 4
        assert engine.pid != first
        session.append([token("e")])
        assert len(session.tokens) == 5


async def test_an_engine_that_keeps_crashing_is_not_restarted() -> None:
    starts = Starts(dying)
    async with started(starts, Patience(restarts=3)) as engine:
        while engine.state is not EngineState.STOPPED:
            with pytest.raises(EngineError, match="signal 9"):
                await engine.tokenize("abc")
            await asyncio.sleep(0)
        assert len(starts.channels) == 4
        with pytest.raises(EngineError, match="signal 9"):
            await engine.ready()
        with pytest.raises(EngineError):
            await engine.open_text("abc")


async def test_an_engine_that_never_gets_ready_is_started_a_few_times_only() -> None:
    starts = Starts(ready=False)
    async with started(starts, Patience(restarts=2, restart_window=0.0)) as engine:
        for number in (1, 2, 3):
            (await starts.channel(number)).kill()
        await reached(engine, EngineState.STOPPED)
        assert len(starts.channels) == 3


async def test_a_hung_start_is_an_error() -> None:
    starts = Starts(silent, ready=False)
    async with started(starts, Patience(start_silence=0.3)) as engine:
        await starts.looks.take()
        with pytest.raises(EngineError, match=r"did not respond for 0\.3 seconds"):
            await engine.ready()
        assert engine.state is EngineState.STOPPED
        assert len(starts.channels) == 1
        assert engine.pid is None


async def test_a_slow_start_that_reports_progress_is_not_hung() -> None:
    """It reports progress for longer than an engine may be silent."""
    starts = Starts(silent, ready=False)
    async with started(starts) as engine:
        seen: list[str] = []
        engine.watch(lambda e: seen.append(e.detail))
        for done in range(3 * LOOKS):
            await starts.looks.take(1)
            starts.channels[0].say(Loading("fetching", done, 1000))
        starts.channels[0].become_ready()
        await engine.ready()
        assert engine.generation == 1
    assert any(words.startswith("fetching, ") and words.endswith(" %") for words in seen)


async def test_a_start_that_answers_pings_is_not_hung() -> None:
    starts = Starts(only_pings, ready=False)
    async with started(starts) as engine:
        await starts.looks.take(3 * LOOKS)
        starts.channels[0].become_ready()
        await engine.ready()
        assert engine.generation == 1


async def test_long_work_is_not_hung() -> None:
    starts = Starts(only_pings)
    async with started(starts) as engine:
        waiting = asyncio.create_task(engine.tokenize("abc"))
        await starts.looks.take(3 * LOOKS)
        (channel,) = starts.channels
        assert channel.pings >= LOOKS
        assert not waiting.done()
        (request,) = (each for each in channel.heard if isinstance(each, Tokenize))
        channel.say(answer(request, {}))
        assert len(await waiting) == 3
        assert engine.generation == 1


async def test_an_engine_that_stops_answering_is_restarted() -> None:
    starts = Starts(silent, serve)
    async with started(starts, Patience(silence=0.4)) as engine:
        await engine.ready()
        question = asyncio.create_task(engine.open_text("abc"))
        await starts.looks.take(LOOKS - 1)
        assert not question.done()
        await starts.looks.take(1)
        with pytest.raises(EngineError, match=r"did not respond for 0\.4 seconds") as caught:
            await asyncio.wait_for(question, 30)
        assert "restarts automatically" in caught.value.next_step
        session = await engine.open_text("abc")
        assert await session.surprisals() == (3.0,) * 3


async def test_a_session_continues_after_the_engine_was_stopped() -> None:
    looks = Looks()
    async with running("serve", looks) as engine:
        session = await engine.open_text("abc")
        stopped = engine.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        question = asyncio.create_task(session.surprisals())
        await looks.take_until(question.done)
        with pytest.raises(EngineError, match="did not respond"):
            await question
        with pytest.raises(ProcessLookupError):  # no task is left that could continue later
            os.kill(stopped, signal.SIGCONT)
        assert await session.surprisals() == (3.0,) * 3


async def test_an_idle_engine_is_not_woken() -> None:
    """An engine may be silent while no request is pending."""
    starts = Starts()
    async with started(starts) as engine:
        await engine.tokenize("abc")
        await starts.looks.take(1)  # the check that was due when the answer came
        for _ in range(10):
            await asyncio.sleep(0)
        assert not starts.looks.due
        assert (engine.generation, engine.state) == (1, EngineState.READY)
        assert not any(isinstance(each, Ping) for each in starts.channels[0].heard)


async def test_a_model_that_cannot_be_loaded_is_reported_and_not_retried() -> None:
    starts = Starts(ready=False)
    async with started(starts) as engine:
        opening = asyncio.create_task(engine.open_text("abc"))
        failed = Failed(0, "ModelNotFound", "There is none.", "Fetch one.")
        (await starts.channel(1)).say(Loading("looking"), failed)
        with pytest.raises(ModelNotFound, match="There is none"):
            await opening
        assert engine.generation == 1
        assert engine.failure is not None
        assert engine.failure.next_step == "Fetch one."


@pytest.mark.parametrize("behavior", ["garbage", "oversize"])
async def test_an_unreadable_answer_is_an_error_not_a_hang(behavior: str) -> None:
    async with running(behavior) as engine:
        with pytest.raises(EngineError):
            await asyncio.wait_for(engine.tokenize("abc"), 30)


async def test_an_answer_of_the_wrong_kind_is_an_error() -> None:
    def answer_otherwise(channel: ScriptedChannel, message: ToEngine) -> None:
        assert isinstance(message, Tokenize | Close)
        channel.say(Length(message.id, 1))

    async with started(Starts(answer_otherwise)) as engine:
        with pytest.raises(EngineError, match="Length"):
            await engine.tokenize("abc")


async def test_an_unexpected_message_ends_the_engine() -> None:
    def tell(channel: ScriptedChannel, message: ToEngine) -> None:
        channel.say(EngineLoad("", None, 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0))

    async with started(Starts(tell, serve)) as engine:
        with pytest.raises(EngineError, match="unexpected load report"):
            await engine.tokenize("abc")
        assert len(await engine.tokenize("abc")) == 3


async def test_an_engine_with_another_count_gets_the_path_again() -> None:
    miscounts = [True]

    def append_twice(channel: ScriptedChannel, message: ToEngine) -> None:
        if isinstance(message, Append) and miscounts:
            miscounts.clear()
            answer(message, channel.sessions)
        serve(channel, message)

    async with started(Starts(append_twice)) as engine:
        session = await engine.open_text("abc")
        session.append([token("d")])
        with pytest.raises(EngineError, match="5 items instead of 4"):
            await session.surprisals()
        assert await session.surprisals() == (4.0,) * 4


async def test_an_answer_about_something_else_is_an_error() -> None:
    def leave_one_out(channel: ScriptedChannel, message: ToEngine) -> None:
        if isinstance(message, AskSurprisals):
            channel.sessions[message.session] -= 1
        serve(channel, message)

    async with started(Starts(leave_one_out)) as engine:
        session = await engine.open_text("abc")
        with pytest.raises(EngineError, match="2 items instead of 3"):
            await session.surprisals()


async def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    engine = EngineClient(reach=Reach(None, command=[str(tmp_path / "missing")]))
    await engine.start()
    with pytest.raises(EngineError, match="could not be started"):
        await engine.ready()
    await engine.stop()


def slow(channel: ScriptedChannel, message: ToEngine) -> None:
    """Answer nothing until a request is canceled, and everything after that."""
    if isinstance(message, Cancel):
        channel.say(Failed(message.target, "RequestCancelled", "", ""))
    elif any(isinstance(each, Cancel) for each in channel.heard):
        serve(channel, message)


async def test_cancelling_the_caller_cancels_the_work() -> None:
    async with started(Starts(slow)) as engine:
        await engine.ready()
        waiting = asyncio.create_task(engine.tokenize("abc"))
        await asyncio.sleep(0)  # let it send the request
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await engine.tokenize("abc")  # answered only after a cancellation


async def test_after_a_cancelled_change_the_engine_gets_the_path_again() -> None:
    async with started(Starts()) as engine:
        session = await engine.open_text("abc")
        session.append([token("d")])
        question = asyncio.create_task(session.surprisals())
        await asyncio.sleep(0)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
        session.go_back(2)
        session.append([token("e")])
        assert await session.surprisals() == (3.0,) * 3


async def test_after_a_cancelled_turn_the_engine_gets_the_path_again() -> None:
    async with started(Starts()) as engine:
        session = await engine.open_text("abc")
        turn = asyncio.create_task(session.append_turn("hello"))
        await asyncio.sleep(0)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        assert await session.surprisals() == (3.0,) * 3
        assert len(await session.append_turn("hello")) == 5
        session.append([token("d")])
        assert await session.surprisals() == (9.0,) * 9


async def test_a_new_path_and_the_question_about_it_are_one_round_trip() -> None:
    """The engine answers nothing before all three requests have arrived."""
    held: list[ToEngine] = []

    def in_a_row(channel: ScriptedChannel, message: ToEngine) -> None:
        held.append(message)
        if len(channel.heard) == 1 or len(held) == 3:
            for each in held:
                serve(channel, each)
            held.clear()

    async with started(Starts(in_a_row)) as engine:
        session = await engine.open_text("abc")
        session.go_back(2)
        session.append([token("x"), token("y")])
        assert await asyncio.wait_for(session.surprisals(), 30) == (4.0,) * 4


async def test_two_tasks_on_different_paths_of_a_session_both_get_answers() -> None:
    async with started(Starts()) as engine:
        session = await engine.open_text("abc")
        session.append([token("d")])
        longer = asyncio.create_task(session.surprisals())
        await asyncio.sleep(0)
        session.go_back(1)
        shorter = asyncio.create_task(session.surprisals())
        await asyncio.sleep(0)
        session.go_to([token("a"), token("b")])
        assert [await longer, await shorter] == [(4.0,) * 4, (1.0,)]
        assert await session.surprisals() == (2.0,) * 2


async def test_pending_requests_fail_when_the_engine_is_stopped() -> None:
    async with started(Starts(slow)) as engine:
        await engine.ready()
        waiting = asyncio.create_task(engine.tokenize("abc"))
        await asyncio.sleep(0)
        await engine.stop()
        with pytest.raises(EngineError):
            await waiting


async def test_stopping_twice_or_before_starting_is_harmless() -> None:
    engine = Starts().client()
    await engine.stop()
    await engine.start()
    await engine.start()
    await engine.stop()
    await engine.stop()
    assert engine.generation <= 1
    assert engine.pid is None


async def test_a_restart_keeps_sessions_of_the_same_model_only() -> None:
    starts = Starts()
    async with started(starts) as engine:
        session = await engine.open_text("abc")
        await engine.restart()
        assert await session.surprisals() == (3.0,) * 3
        assert len(starts.channels) == 2
        starts.model = "another"
        await engine.restart()
        with pytest.raises(ModelError, match="another model"):
            await session.surprisals()
        assert await engine.open_text("abc")


async def test_what_the_engine_prints_goes_to_the_log(tmp_path: Path) -> None:
    async with running("log") as engine:
        await engine.ready()
    assert "a warning" in (tmp_path / "data" / "engine.log").read_text()


async def test_the_engine_runs_without_a_writable_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "file" / "below"))
    async with running("log") as engine:
        assert await engine.tokenize("a")


async def test_a_text_that_cannot_be_sent_is_an_error() -> None:
    async with started(Starts()) as engine:
        with pytest.raises(EngineError, match="could not be encoded"):
            await engine.open_text("\ud800")
        assert await engine.tokenize("a")


async def test_restarts_that_overlap_both_end_and_leave_it_ready() -> None:
    async with started(Starts()) as engine:
        await engine.ready()
        await asyncio.wait_for(asyncio.gather(engine.restart(), engine.restart()), 30)
        await asyncio.wait_for(engine.ready(), 30)
        assert await engine.tokenize("ab") == (token("a"), token("b"))


async def test_a_cancelled_restart_leaves_an_engine_that_can_be_started() -> None:
    async with started(Starts()) as engine:
        await engine.ready()
        restart = asyncio.create_task(engine.restart())
        await asyncio.sleep(0)  # the restart has begun to stop the process
        restart.cancel()
        with pytest.raises(asyncio.CancelledError):
            await restart
        await asyncio.wait_for(engine.restart(), 30)
        await asyncio.wait_for(engine.ready(), 30)
        assert await engine.tokenize("a") == (token("a"),)
