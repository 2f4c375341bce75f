"""Test the real process with a tiny model, its socket, and clients that connect to it.

Some clients connect by mistake or with bad intent.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.tiny_model import write_tiny_folder
from tutor import __version__, paths
from tutor.engine import frames
from tutor.engine.api import EngineState
from tutor.engine.client import EngineClient
from tutor.engine.connection import EngineConnection, load_of
from tutor.engine.shared import address as place
from tutor.engine.wire import (
    AskSurprisals,
    Failed,
    Hello,
    Opened,
    OpenText,
    OpenTokens,
    Ready,
)
from tutor.errors import EngineError, NoSharedEngine, OtherVersion, TooMuchAsked
from tutor.labs.adviser import lab as adviser
from tutor.lm.distribution import PLAIN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no Unix sockets in asyncio")


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_folder(tmp_path_factory.mktemp("models") / "tiny")


class Served:
    """A running `tutor engine`."""

    def __init__(self, process: subprocess.Popen[str], socket: Path) -> None:
        self.process = process
        self.socket = socket

    @property
    def worker(self) -> psutil.Process:
        """Return the process that serves the learners. The spare engine's process is newer."""
        return min(self.processes, key=lambda process: process.create_time())

    @property
    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


@contextmanager
def engine_on(folder: Path, model: Path, *options: str) -> Iterator[Served]:
    path = folder / "engine.sock"
    command = [sys.executable, "-m", "tutor", "engine", f"--socket={path}", f"--model={model}"]
    environment = os.environ | {"TUTOR_DATA": str(folder / "service")}
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        assert str(path) in process.stdout.readline()
        yield Served(process, path)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def served(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an engine with room for many screens of this account."""
    folder = tmp_path_factory.mktemp("run")
    with engine_on(folder, tiny_folder, "--of-one-account=30") as running:
        yield running


@asynccontextmanager
async def screen(socket: Path) -> AsyncIterator[EngineClient]:
    engine = EngineClient(shared=socket)
    await engine.start()
    try:
        await engine.ready()
        yield engine
    finally:
        await engine.stop()


@contextmanager
def screen_of(running: Served, program: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that runs `program`, connects and stays until it is released."""
    hello = frames.pack(Hello(__version__, "me")).hex()
    with subprocess.Popen(
        [sys.executable, "-c", program, str(running.socket), hello],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.communicate("")


async def until(condition: Any, what: str) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_learner_can_switch_to_an_own_engine_and_back(
    served: Served, tiny_folder: Path
) -> None:
    engine = EngineClient(str(tiny_folder), shared=served.socket)
    await engine.start()
    try:
        await engine.ready()
        assert (engine.served, engine.alternative) == (True, "own")
        assert (await engine.learners() or 0) >= 1
        await engine.choose("own")
        await engine.ready()
        assert engine.pid is not None
        assert (engine.served, engine.alternative) == (False, "shared")
        assert await engine.learners() is None
        await engine.choose("shared")
        await engine.ready()
        assert engine.served
    finally:
        await engine.stop()


async def test_a_screen_finds_the_engine_and_starts_no_process(served: Served) -> None:
    before = psutil.Process().children()
    async with screen(served.socket) as engine:
        assert engine.served
        assert engine.pid is None
        session = await engine.open_text("hello world")
        found = await session.distribution(len(session.tokens), PLAIN, seed=1, top=4)
        assert len(found.rows) == 4
        assert psutil.Process().children() == before


@pytest.mark.slow
async def test_without_a_shared_engine_a_screen_starts_its_own(
    tmp_path: Path, tiny_folder: Path
) -> None:
    engine = EngineClient(str(tiny_folder), shared=tmp_path / "missing.sock")
    await engine.start()
    await engine.ready()
    assert not engine.served
    assert engine.pid is not None
    assert engine.own is engine
    await engine.stop()


async def test_twenty_learners_continue_after_kill_9(served: Served) -> None:
    """After kill -9 in the middle of work, each learner continues at the same position."""
    screens = [EngineClient(shared=served.socket) for _ in range(20)]
    try:
        for engine in screens:
            await engine.start()
        sessions = [await engine.open_text(f"learner {n}") for n, engine in enumerate(screens)]
        await asyncio.gather(*[session.distribution(3, PLAIN, 0, 3) for session in sessions])
        before = await asyncio.gather(*[session.surprisals() for session in sessions])
        under_way = [
            asyncio.create_task(session.distribution(len(session.tokens), PLAIN, 0, 3))
            for session in sessions
        ]
        worker = served.worker
        worker.send_signal(signal.SIGKILL)
        await asyncio.gather(*under_way, return_exceptions=True)
        await until(lambda: all(engine.generation == 2 for engine in screens), "a new engine")
        after = await asyncio.gather(*[session.surprisals() for session in sessions])
        assert all(engine.served for engine in screens)
        assert served.worker.pid != worker.pid
        for one, other in zip(before, after, strict=True):
            assert other[1:] == pytest.approx(one[1:], abs=1e-4)
    finally:
        for engine in screens:
            await engine.stop()


@pytest.mark.slow
@pytest.mark.waits
async def test_a_spare_engine_takes_the_place_of_a_killed_one(
    tmp_path: Path, tiny_folder: Path
) -> None:
    with engine_on(tmp_path, tiny_folder) as running:
        async with screen(running.socket) as engine:
            session = await engine.open_text("hello world")
            before = await session.surprisals()
            await until(lambda: len(running.processes) == 2, "a spare engine")
            first = running.worker
            (spare,) = set(running.processes) - {first}
            first.send_signal(signal.SIGKILL)
            await until(lambda: engine.generation == 2, "the spare engine")
            assert (await session.surprisals())[1:] == pytest.approx(before[1:], abs=1e-4)
            assert engine.served
            assert running.worker == spare
            await until(lambda: len(running.processes) == 2, "another spare engine")
            processes = running.processes
    await until(lambda: not any(each.is_running() for each in processes), "the end of both")


async def test_screens_wait_for_a_restart_and_start_no_process(
    tmp_path: Path, tiny_folder: Path
) -> None:
    with engine_on(tmp_path, tiny_folder) as first:
        engine = EngineClient(shared=first.socket)
        await engine.start()
        session = await engine.open_text("hello")
    await until(lambda: engine.state is EngineState.STARTING, "the end of the engine")
    assert engine.failure is not None
    assert "shared engine has exited" in engine.failure.happened
    with engine_on(tmp_path, tiny_folder):
        assert len(await session.surprisals()) == len(session.tokens)
        assert engine.served
    await engine.stop()
    assert engine.state is EngineState.STOPPED


async def test_no_session_of_another_learner_can_be_named(served: Served) -> None:
    async with screen(served.socket) as engine:
        session = await engine.open_text("a secret of mine")
        other = await EngineConnection.open(served.socket)
        assert isinstance(await other.receive(), Ready)
        for id_, name in enumerate([session._name, "s", "", "../s"], start=1):
            other.send(AskSurprisals(id_, name, 0))
            answer = await other.receive()
            assert isinstance(answer, Failed)
            assert answer.kind == "UnknownSession"
        other.send(OpenTokens(9, session._name, (5, 6)))
        assert isinstance(await other.receive(), Opened)
        assert len(await session.surprisals()) == len(session.tokens)
        other.kill()


async def test_names_cannot_be_guessed(served: Served) -> None:
    async with screen(served.socket) as engine:
        names = {engine.new_name() for _ in range(100)}
        assert len(names) == 100
        assert min(map(len, names)) >= 16


async def test_another_version_is_rejected_and_does_not_retry(served: Served) -> None:
    connection = await EngineConnection.open(served.socket, Hello("0.0.0", "me"))
    answer = await connection.receive()
    assert isinstance(answer, Failed)
    assert answer.kind == OtherVersion.__name__
    assert __version__ in answer.happened
    assert await connection.receive() is None


async def test_too_many_app_windows_of_an_account_are_rejected(
    tmp_path: Path, tiny_folder: Path
) -> None:
    with engine_on(tmp_path, tiny_folder, "--of-one-account=1") as running:
        async with screen(running.socket):
            second = EngineClient(shared=running.socket)
            await second.start()
            with pytest.raises(TooMuchAsked, match="1 app window"):
                await second.ready()
            await second.stop()
            check_reason_for_rejection(running.socket)
        async with screen(running.socket) as again:
            assert again.served


def check_reason_for_rejection(path: Path) -> None:
    """Check that a rejected client gets the reason, even if it is still sending."""
    with socket.socket(socket.AF_UNIX) as late:
        late.settimeout(30)
        late.connect(str(path))
        select.select([late], [], [], 30)
        late.sendall(frames.pack(Hello(__version__, "me")))
        answer = late.makefile("rb").read()
    assert b"at most 1 app window connected" in answer


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        (5).to_bytes(4, "big") + b"hello",
        frames.pack(OpenText(1, "s", "without a greeting")),
        frames.pack(Hello(__version__, "../../root")),
        frames.pack(Hello(__version__, "me")) + b"\x7f\xff\xff\xff",
        frames.pack(Hello(__version__, "me")) + (4).to_bytes(4, "big") + b"\xc1\xc1\xc1\xc1",
    ],
)
async def test_invalid_messages_do_not_harm_other_connections(served: Served, said: bytes) -> None:
    async with screen(served.socket) as engine:
        session = await engine.open_text("hello")
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.settimeout(30)
            stranger.connect(str(served.socket))
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            while stranger.recv(65536):
                pass
        assert len(await session.surprisals()) == len(session.tokens)
        assert engine.generation == 1


async def test_a_client_that_does_not_read_is_dropped(served: Served) -> None:
    async with screen(served.socket) as engine:
        session = await engine.open_text("hello")
        before = (await load_of(served.socket)).learners
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(str(served.socket))
            deaf.sendall(frames.pack(Hello(__version__, "me")))
            for id_ in range(200):
                try:
                    deaf.sendall(frames.pack(OpenText(id_ + 1, f"s{id_}", "x" * 300)))
                except OSError:
                    break
            assert len(await session.surprisals()) == len(session.tokens)
        async with asyncio.timeout(60):
            while (await load_of(served.socket)).learners != before:
                await asyncio.sleep(0.02)


async def test_labs_with_own_files_go_to_an_own_engine(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder: Path
) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("TUTOR_MODEL", str(tiny_folder))
    async with screen(served.socket) as engine:
        bench = engine.lab_backend(adviser.LAB)
        advice = await bench.answer(adviser.Read())
        assert engine._second is None
        needs = len(advice.needs)
        settings = adviser.Settings((1,) * needs, (0,) * needs, (False,) * needs)
        saved = await bench.answer(adviser.Save(0, settings, 0))
        assert Path(saved.path).is_relative_to(tmp_path / "mine")
        assert engine.own.pid is not None
        own = psutil.Process(engine.own.pid)
        assert not any("torch" in part.path for part in own.memory_maps())  # nor a model
    assert not own.is_running()


async def test_the_status_command(served: Served) -> None:
    async with screen(served.socket) as engine:
        await engine.open_text("hello")
        command = [sys.executable, "-m", "tutor", "engine", "--status", f"--socket={served.socket}"]
        told = json.loads(subprocess.check_output([*command, "--json"], timeout=60))
        assert told["learners"] >= 1
        assert told["sessions"] >= 1
        assert told["version"] == __version__
        assert "learners connected" in subprocess.check_output(command, timeout=60, text=True)
    with pytest.raises(NoSharedEngine):
        await load_of(served.socket.with_name("missing.sock"))


def test_only_one_engine_uses_a_socket(served: Served) -> None:
    with pytest.raises(EngineError, match="already"), place.listening(served.socket):
        pass


def test_a_socket_that_others_could_have_created_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_ENGINE", str(tmp_path / "run" / "engine.sock"))
    assert place.find() is None
    (tmp_path / "run").mkdir(mode=0o755)
    with place.listening(tmp_path / "run" / "engine.sock"):
        assert place.find() == tmp_path / "run" / "engine.sock"
        (tmp_path / "run").chmod(0o777)
        assert place.find() is None
        (tmp_path / "run").chmod(0o755)
    assert place.find() is None
    monkeypatch.setenv("TUTOR_ENGINE", "own")
    assert place.find() is None


def test_a_socket_left_by_a_killed_engine_hides_no_engine_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, running = (tmp_path / name / "engine.sock" for name in ("left", "running"))
    for each in (left, running):
        each.parent.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(left))
    monkeypatch.setattr(paths, "engine_sockets", lambda: (left, running))
    assert place.find() == left
    with place.listening(running):
        assert place.find() == running
        assert place.listens(running)
    assert not place.listens(left)


@pytest.mark.parametrize(("folder", "socket_"), [(0o755, 0o666), (0o750, 0o660), (0o700, 0o600)])
def test_everyone_who_may_enter_the_folder_may_connect(
    tmp_path: Path, folder: int, socket_: int
) -> None:
    path = tmp_path / "run" / "engine.sock"
    path.parent.mkdir()
    path.parent.chmod(folder)
    with place.listening(path):
        assert path.stat().st_mode & 0o777 == socket_
    assert not path.exists()


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="needs root to use another account"
)
async def test_another_account_has_its_own_limit_and_untrusted_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder: Path
) -> None:
    """The system reports the client's account. In this test, the account has no name."""
    program = (
        "import os, socket, sys\n"
        "os.setuid(54321)\n"
        "with socket.socket(socket.AF_UNIX) as line:\n"
        "    line.connect(sys.argv[1])\n"
        "    line.sendall(bytes.fromhex(sys.argv[2]))\n"
        "    print(len(line.recv(4)), flush=True)\n"
        "    sys.stdin.read()\n"
    )
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(folder.stat().st_mode | 0o011)
    with engine_on(tmp_path, tiny_folder) as running, screen_of(running, program) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "4\n"
        async with screen(running.socket):
            assert (await load_of(running.socket)).accounts == 2
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    os.chown(theirs, 54321, 54321)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(theirs / "engine.sock"))
        monkeypatch.setenv("TUTOR_ENGINE", str(theirs / "engine.sock"))
        tmp_path.chmod(0o777)
        assert place.find() is None
