"""Test what learners see of a shared engine, and how they switch to one of their own."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.app.explorer.explorer_stage import settled, shown
from tests.app.pressing import tap
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import CARD, CONTEXT, FakeEngine
from tests.engine.scripted_channel import ScriptedChannel, Starts
from tutor.app.background.keeper import OWN_ENGINE, ModelKeeper
from tutor.app.start import make_app
from tutor.engine import client
from tutor.engine.api import EngineState
from tutor.engine.connection import EngineConnection
from tutor.engine.reach import Reach
from tutor.errors import NotEnoughMemory
from tutor.models import installed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.app.app import TutorApp
    from tutor.engine.reach import Channel
    from tutor.models.report import Pulled, PullProgress

SMALL = 8


def shared_engine(context: int = 128) -> FakeEngine:
    engine = FakeEngine(card=replace(CARD, context=context))
    engine.served, engine.alternative, engine.connected = True, "own", 3
    return engine


def words(app: TutorApp) -> str:
    return " ".join(shown(app).split())


async def test_the_status_line_says_that_the_engine_is_shared(tmp_path: Path) -> None:
    app = whole_app(tmp_path, shared_engine())
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "shared by 3 learners · 128 tokens ●")


async def test_o_chooses_ones_own_engine_and_the_shared_one_again(tmp_path: Path) -> None:
    engine = shared_engine()
    app = whole_app(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "shared by 3 learners")
        await keys(pilot, "m")
        await sees(pilot, "o own engine")
        assert "3 learners use it now" in words(app)
        assert "TUTOR_ENGINE=own" in words(app)
        app.keeper._free_memory = lambda: None
        await keys(pilot, "o")
        await sees(pilot, f"{CARD.name} ●")
        assert engine.chosen == ["own"]
        await sees(pilot, "o shared engine")
        await keys(pilot, "o")
        await sees(pilot, "shared by 3 learners")
        assert engine.chosen == ["own", "shared"]


async def test_a_login_that_must_share_is_not_offered_its_own_engine(tmp_path: Path) -> None:
    engine = shared_engine()
    engine.alternative = None
    app = whole_app(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "shared by 3 learners")
        await keys(pilot, "m")
        await sees(pilot, "This engine is shared: 3 learners use it now.")
        assert "own engine" not in words(app)
        await keys(pilot, "o")
        assert engine.chosen == []


async def test_too_little_memory_for_an_own_engine_is_reported() -> None:
    engine = shared_engine()
    keeper = ModelKeeper(
        engine, lambda _: None, missing=lambda: False, free_memory=lambda: OWN_ENGINE - 1
    )
    with pytest.raises(NotEnoughMemory, match="needs about 700 MB"):
        await keeper.choose_engine("own")
    assert engine.chosen == []
    await keeper.choose_engine("shared")
    assert engine.chosen == ["shared"]


async def test_a_text_that_a_shared_engine_cannot_hold_says_why_and_what_to_do(
    tmp_path: Path,
) -> None:
    app = whole_app(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.model_status.ready)
        app.navigator.open_place("step")
        await settled(pilot)
        await tap(pilot, *["1"] * 6)
        await settled(pilot)
        await keys(pilot, "escape")
    engine = shared_engine(SMALL)
    app = whole_app(tmp_path, engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.model_status.ready)
        app.navigator.open_place("step")
        await sees(pilot, "This text has 11 tokens, but the shared engine processes only 8.")
        assert "press m and then o" in words(app)
        await tap(pilot, "r")
        await settled(pilot)
        assert "running" not in shown(app)
        await tap(pilot, *["left"] * 3)
        await settled(pilot)
        assert "instead of" in shown(app)
        assert "◆" in shown(app)
        assert "but the shared engine" not in words(app)
        await tap(pilot, "0")
        await settled(pilot)
        await engine.choose("own")
        await settled(pilot)
        assert "next token  entropy" in shown(app)
        assert f"11 of {CONTEXT} tokens" in shown(app)


class Downloads:
    """A download that never ends, and the number of times that it was started."""

    def __init__(self) -> None:
        self.started = 0

    async def fetch(self, on_progress: Callable[[PullProgress], None]) -> Pulled:
        self.started += 1
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
def with_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starts:
    """A machine without the model, with the socket of an engine that was killed.

    Returns the starter of the learner's own engines.
    """
    if sys.platform == "win32":
        pytest.skip("no Unix sockets in asyncio")
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    starts = Starts()

    def reach(model: str | None, shared: Path | None) -> Reach:
        return Reach(model, shared, command=["engine"], start=starts.start)

    monkeypatch.delenv("TUTOR_MODEL", raising=False)
    monkeypatch.setenv("TUTOR_ENGINE", str(path))
    monkeypatch.setenv("TUTOR_TOUR", "off")
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))
    monkeypatch.setattr(installed, "package_folder", lambda: None)
    monkeypatch.setattr(client, "Reach", reach)
    return starts


async def test_the_model_is_downloaded_if_an_engine_left_its_socket(with_socket: Starts) -> None:
    downloads = Downloads()
    app = make_app()
    app.keeper._fetch_model = downloads.fetch
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Downloading the model (93 MB, only once). To stop it, press m.")
        await keys(pilot, "m")
        await sees(pilot, "x stop download")
        await keys(pilot, "x")
        await sees(pilot, "f download")
        with_socket.channels[0].kill()
        await until(pilot, lambda: len(with_socket.channels) == 2 and app.model_status.ready)
        await sees(pilot, "f download")
        await keys(pilot, "r")
        await until(pilot, lambda: len(with_socket.channels) == 3 and app.model_status.ready)
        await sees(pilot, "f download")
        assert downloads.started == 1


async def test_nothing_is_downloaded_with_a_shared_engine(
    with_socket: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = Downloads()
    answers, trying = asyncio.Event(), asyncio.Event()

    class Shared(ScriptedChannel):
        shared = True

    async def connect(path: Path) -> Channel:
        trying.set()
        await answers.wait()
        channel = Shared(lambda _channel, _message: None, "theirs")
        channel.become_ready()
        return channel

    monkeypatch.setattr(EngineConnection, "open", connect)
    app = make_app()
    app.keeper._fetch_model = downloads.fetch
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, trying.is_set)
        assert not app.model_status.small
        answers.set()
        await sees(pilot, "shared engine")
        assert app.model_status.served
        assert not app.model_status.small
        assert (downloads.started, with_socket.channels) == (0, [])


class SlowEngine(FakeEngine):
    """An engine that is still starting when `start` returns, like a real one."""

    async def start(self) -> None:
        self.become(EngineState.STARTING)


async def test_a_download_waits_until_it_is_known_that_no_engine_is_shared() -> None:
    downloads, engine = Downloads(), SlowEngine(state=EngineState.STARTING)
    may_join = True
    keeper = ModelKeeper(
        engine, lambda _: None, missing=lambda: not may_join, fetch=downloads.fetch
    )
    await keeper.start()
    assert not keeper.status.small
    assert keeper.status.fetch is None
    may_join = False
    engine.become(EngineState.LOADING)
    assert keeper.status.small
    assert keeper.status.fetch is not None
    await keeper.stop()
