"""The app's end of the engine, against engines that behave well and badly."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tutor.engine.client import RESTARTS, Engine, EngineState
from tutor.errors import EngineError, ModelError, ModelNotFound
from tutor.lm.distribution import Token

SCRIPT = Path(__file__).with_name("scripted_engine.py")


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))


@asynccontextmanager
async def running(
    *behavior: str, start_silence: float = 60.0, silence: float = 60.0
) -> AsyncIterator[Engine]:
    command = [sys.executable, str(SCRIPT), *behavior]
    engine = Engine(command=command, start_silence=start_silence, silence=silence)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def token(letter: str) -> Token:
    return Token(ord(letter), letter, letter.encode())


async def state(engine: Engine, wanted: EngineState) -> None:
    """Wait until the engine is in this state."""
    reached = asyncio.Event()
    unwatch = engine.watch(lambda e: reached.set() if e.state is wanted else None)
    if engine.state is not wanted:
        await asyncio.wait_for(reached.wait(), 30)
    unwatch()


async def appears(path: Path) -> None:
    async with asyncio.timeout(60):
        while not path.exists():
            await asyncio.sleep(0.01)


async def test_a_session_follows_what_is_done_with_it() -> None:
    async with running("serve") as engine:
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


async def test_states_are_announced_in_order() -> None:
    engine = Engine(command=[sys.executable, str(SCRIPT), "serve"])
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


async def test_a_death_is_told_and_survived(tmp_path: Path) -> None:
    async with running("die-first", str(tmp_path / "mark")) as engine:
        with pytest.raises(EngineError, match="signal 9"):
            await engine.open_text("abc")
        assert engine.failure is not None
        session = await engine.open_text("abc")
        assert engine.failure is None
        assert await session.surprisals() == (3.0,) * 3


async def test_sessions_go_on_after_kill_9() -> None:
    async with running("serve") as engine:
        session = await engine.open_text("abc")
        session.append([token("d")])
        first = engine.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await state(engine, EngineState.STARTING)
        assert engine.failure is not None
        assert "SIGKILL" in engine.failure.happened
        assert await session.surprisals() == (4.0,) * 4
        assert engine.pid != first
        session.append([token("e")])
        assert len(session.tokens) == 5


async def test_an_engine_that_dies_again_and_again_is_left_alone() -> None:
    async with running("die-always") as engine:
        starts = 0

        def count(engine: Engine) -> None:
            nonlocal starts
            starts += engine.state is EngineState.STARTING

        engine.watch(count)
        await state(engine, EngineState.STOPPED)
        assert starts == RESTARTS
        with pytest.raises(EngineError, match="signal 9"):
            await engine.ready()
        with pytest.raises(EngineError):
            await engine.open_text("abc")


async def test_a_hung_start_is_an_error() -> None:
    async with running("silent", start_silence=0.3) as engine:
        with pytest.raises(EngineError, match="said nothing"):
            await engine.ready()
        assert engine.state is EngineState.STOPPED
        assert engine.pid is None


async def test_a_start_that_takes_long_and_says_so_is_not_hung(tmp_path: Path) -> None:
    """Longer than silence would be put up with."""
    mark = tmp_path / "mark"
    async with running("slow-start", str(mark), start_silence=2.0) as engine:
        seen: list[str] = []
        engine.watch(lambda e: seen.append(e.detail))
        await asyncio.sleep(4)
        mark.touch()
        await engine.ready()
        assert engine.generation == 1
    assert any(words.startswith("fetching, ") and words.endswith(" %") for words in seen)


async def test_a_start_that_answers_pings_is_not_hung(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with running("busy-start", str(mark), start_silence=2.0) as engine:
        await appears(tmp_path / "mark.pinged")
        mark.touch()
        await engine.ready()
        assert engine.generation == 1


async def test_work_that_takes_long_is_not_hung(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with running("busy", str(mark), silence=2.0) as engine:
        waiting = asyncio.create_task(engine.tokenize("abc"))
        await appears(tmp_path / "mark.pinged")
        assert not waiting.done()
        mark.touch()
        assert len(await waiting) == 3
        assert engine.generation == 1


async def test_an_engine_that_stops_answering_is_ended_and_started_again(tmp_path: Path) -> None:
    async with running("stop-first", str(tmp_path / "mark"), silence=0.4) as engine:
        await engine.ready()
        stopped = engine.pid
        assert stopped is not None
        with pytest.raises(EngineError, match="did not answer") as caught:
            await asyncio.wait_for(engine.open_text("abc"), 30)
        assert "started again" in caught.value.next_step
        session = await engine.open_text("abc")
        assert await session.surprisals() == (3.0,) * 3
        with pytest.raises(ProcessLookupError):  # nothing is left that could go on later
            os.kill(stopped, signal.SIGCONT)


async def test_a_session_goes_on_after_the_engine_was_stopped() -> None:
    async with running("serve", silence=0.4) as engine:
        session = await engine.open_text("abc")
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)
        with pytest.raises(EngineError, match="did not answer"):
            await asyncio.wait_for(session.surprisals(), 30)
        assert await session.surprisals() == (3.0,) * 3


async def test_an_idle_engine_is_not_woken() -> None:
    """Stopped while nobody waits for it: nothing happens to it."""
    async with running("serve", silence=0.2) as engine:
        await engine.tokenize("abc")
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)
        await asyncio.sleep(1)
        assert (engine.generation, engine.state) == (1, EngineState.READY)
        os.kill(engine.pid, signal.SIGCONT)


async def test_a_model_that_cannot_be_loaded_is_told_and_not_tried_again() -> None:
    async with running("no-model") as engine:
        with pytest.raises(ModelNotFound, match="There is none"):
            await engine.open_text("abc")
        assert engine.generation == 1
        assert engine.failure is not None
        assert engine.failure.next_step == "Fetch one."


@pytest.mark.parametrize("behavior", ["garbage", "oversize"])
async def test_an_unreadable_answer_is_an_error_not_a_hang(behavior: str) -> None:
    async with running(behavior) as engine:
        with pytest.raises(EngineError):
            await asyncio.wait_for(engine.tokenize("abc"), 30)


async def test_an_answer_of_the_wrong_kind_is_an_error() -> None:
    async with running("other-kind") as engine:
        with pytest.raises(EngineError, match="Length"):
            await engine.tokenize("abc")


async def test_an_engine_that_counts_otherwise_is_put_right() -> None:
    async with running("miscount") as engine:
        session = await engine.open_text("abc")
        session.append([token("d")])
        with pytest.raises(EngineError, match="5 in place of 4"):
            await session.surprisals()
        assert await session.surprisals() == (4.0,) * 4


async def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    engine = Engine(command=[str(tmp_path / "missing")])
    await engine.start()
    with pytest.raises(EngineError, match="cannot be started"):
        await engine.ready()
    await engine.stop()


async def test_cancelling_who_waits_cancels_the_work() -> None:
    async with running("slow") as engine:
        await engine.ready()
        waiting = asyncio.create_task(engine.tokenize("abc"))
        await asyncio.sleep(0)  # let it send
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await engine.tokenize("abc")  # answered only after a cancellation


async def test_after_a_cancelled_change_the_engine_is_put_on_the_path_again() -> None:
    async with running("serve") as engine:
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


async def test_after_a_cancelled_turn_the_engine_is_put_on_the_path_again() -> None:
    async with running("serve") as engine:
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


async def test_a_new_path_and_the_question_about_it_are_one_round_trip(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with running("in-a-row", str(mark), "3") as engine:
        session = await engine.open_text("abc")
        mark.touch()
        session.go_back(2)
        session.append([token("x"), token("y")])
        assert await asyncio.wait_for(session.surprisals(), 30) == (4.0,) * 4


async def test_two_who_ask_about_different_paths_of_a_session_are_both_right() -> None:
    async with running("serve") as engine:
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


async def test_requests_under_way_fail_when_the_engine_is_stopped() -> None:
    async with running("slow") as engine:
        await engine.ready()
        waiting = asyncio.create_task(engine.tokenize("abc"))
        await asyncio.sleep(0)
        await engine.stop()
        with pytest.raises(EngineError):
            await waiting


async def test_stopping_twice_or_before_starting_is_harmless() -> None:
    engine = Engine(command=[sys.executable, str(SCRIPT), "serve"])
    await engine.stop()
    await engine.start()
    await engine.start()
    await engine.stop()
    await engine.stop()
    assert engine.generation <= 1
    assert engine.pid is None


async def test_a_restart_keeps_sessions_of_the_same_model_only() -> None:
    async with running("serve") as engine:
        session = await engine.open_text("abc")
        first = engine.pid
        await engine.restart()
        assert await session.surprisals() == (3.0,) * 3
        assert engine.pid != first
        await engine.restart("another")
        with pytest.raises(ModelError, match="another model"):
            await session.surprisals()
        assert await engine.open_text("abc")


async def test_what_the_engine_prints_goes_to_the_log(tmp_path: Path) -> None:
    async with running("log") as engine:
        await engine.ready()
    assert "a warning" in (tmp_path / "data" / "engine.log").read_text()


async def test_the_engine_runs_where_no_log_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "file" / "below"))
    async with running("log") as engine:
        assert await engine.tokenize("a")


async def test_a_text_that_cannot_be_sent_is_an_error() -> None:
    async with running("serve") as engine:
        with pytest.raises(EngineError, match="cannot be sent"):
            await engine.open_text("\ud800")
        assert await engine.tokenize("a")


async def test_restarts_that_overlap_both_end_and_leave_it_ready() -> None:
    async with running("serve") as engine:
        await engine.ready()
        await asyncio.wait_for(asyncio.gather(engine.restart(), engine.restart()), 30)
        await asyncio.wait_for(engine.ready(), 30)
        assert await engine.tokenize("ab") == (token("a"), token("b"))


async def test_a_cancelled_restart_leaves_an_engine_that_can_be_started() -> None:
    async with running("serve") as engine:
        await engine.ready()
        restart = asyncio.create_task(engine.restart())
        await asyncio.sleep(0)  # it has begun to stop the process
        restart.cancel()
        with pytest.raises(asyncio.CancelledError):
            await restart
        await asyncio.wait_for(engine.restart(), 30)
        await asyncio.wait_for(engine.ready(), 30)
        assert await engine.tokenize("a") == (token("a"),)
