"""Test the real engine process with a tiny model: start it, kill it, orphan it, send it garbage."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from tests.tiny_model import write_tiny_folder
from tutor.engine import frames
from tutor.engine.api import EngineState
from tutor.engine.client import EngineClient
from tutor.engine.reach import Reach
from tutor.engine.wire import (
    Append,
    AskSurprisals,
    Cancel,
    Failed,
    Loading,
    Opened,
    OpenText,
    OpenTokens,
    Ping,
    Pong,
    Ready,
)
from tutor.errors import (
    ContextFull,
    EngineError,
    ModelDamaged,
    ModelError,
    ModelNotFound,
    TextError,
)
from tutor.labs.tokens import lab as tokens
from tutor.lm.distribution import PLAIN, ChatMessage

COMMAND = [sys.executable, "-m", "tutor.engine"]


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "shared"))
    monkeypatch.delenv("TUTOR_MODEL", raising=False)


@pytest.fixture
async def engine(tiny_folder: Path) -> AsyncIterator[EngineClient]:
    engine = EngineClient(str(tiny_folder))
    await engine.start()
    await engine.ready()
    yield engine
    await engine.stop()


async def test_everything_through_a_real_process(engine: EngineClient) -> None:
    card = await engine.ready()
    assert (card.vocabulary_size, card.layers, card.chat) == (300, 3, True)
    session = await engine.open_text("hello world")
    start = len(session.tokens)
    for _ in range(5):
        found = await session.distribution(len(session.tokens), PLAIN, seed=1, top=4)
        assert len(found.rows) == 4
        session.append([found.drawn.token])
    drawn = session.tokens[start:]
    session.go_back(start)
    for token in drawn:  # the same seed draws the same token
        found = await session.distribution(len(session.tokens), PLAIN, seed=1, top=1)
        assert found.drawn.token == token
        session.append([token])
    other = await session.fork(start)
    assert other.tokens == session.tokens[:start]
    assert len(await session.surprisals()) == start + 5
    assert len((await other.xray(2, 0)).lens) == 4
    assert (await other.find(start, PLAIN, "he", 3))[0].token.text == "he"
    assert (await other.rows(start, PLAIN, (7,)))[0].token.id == 7
    chat = await engine.open_chat([ChatMessage("user", "hello")])
    added = await chat.append_turn("more")
    assert chat.tokens[-len(added) :] == added
    assert b"".join(t.data for t in await engine.tokenize("h\u00e9")) == "h\u00e9".encode()
    with pytest.raises(TextError):
        await engine.open_text("")
    with pytest.raises(ContextFull):
        await engine.open_tokens([5] * 401)
    session.append(session.tokens * 40)
    with pytest.raises(ContextFull):
        await session.surprisals()
    session.go_back(start + 5)
    assert len(await session.surprisals()) == start + 5


async def test_an_engine_for_labs_loads_a_model_when_one_needs_it(tiny_folder: Path) -> None:
    engine = EngineClient(reach=Reach(str(tiny_folder), command=[*COMMAND, "--labs"]))
    await engine.start()
    try:
        with pytest.raises(EngineError, match="only labs"):
            await engine.tokenize("hello")
        with pytest.raises(EngineError, match="only labs"):
            await engine.ready()
        bench = engine.lab_backend(tokens.LAB)
        question = tokens.LAB.question(tokens.LAB.start())
        assert isinstance(await bench.answer(question), tokens.Answer)
        bench.close()
    finally:
        await engine.stop()


@pytest.mark.slow
async def test_an_engine_for_labs_says_so_when_there_is_no_model(tmp_path: Path) -> None:
    engine = EngineClient(reach=Reach(str(tmp_path / "missing"), command=[*COMMAND, "--labs"]))
    await engine.start()
    try:
        question = tokens.LAB.question(tokens.LAB.start())
        for _ in range(2):
            with pytest.raises(ModelNotFound):
                await engine.lab_backend(tokens.LAB).answer(question)
    finally:
        await engine.stop()


async def test_kill_9_loses_nothing(engine: EngineClient) -> None:
    session = await engine.open_text("hello world")
    before = await session.surprisals()
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="SIGKILL"):
        await session.surprisals()
    assert engine.state is not EngineState.READY
    assert (await session.surprisals())[1:] == pytest.approx(before[1:])


async def test_cancelling_stops_the_work(engine: EngineClient) -> None:
    session = await engine.open_tokens([5] * 400)
    question = asyncio.create_task(session.surprisals())
    await asyncio.sleep(0)
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    assert len(await session.surprisals()) == 400


async def test_a_missing_model(tmp_path: Path) -> None:
    await cannot_be_loaded(tmp_path / "missing", ModelNotFound)


async def test_a_model_file_that_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF\3\0\0\0")
    await cannot_be_loaded(file, ModelDamaged)


async def cannot_be_loaded(path: Path, error: type[ModelError]) -> None:
    engine = EngineClient(str(path))
    await engine.start()
    with pytest.raises(error):
        await engine.ready()
    assert engine.state is EngineState.STOPPED
    assert engine.generation == 1  # no restart: it would fail again
    await engine.stop()


class RawEngine:
    """The engine's process, with its input and output as bytes."""

    def __init__(self, model: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--model", str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.stages: list[str] = []

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self) -> object:
        assert self.process.stdout is not None
        size = frames.payload_size(self.process.stdout.read(frames.HEADER))
        return frames.answer_from(self.process.stdout.read(size))

    def until_ready(self) -> Ready:
        while not isinstance(message := self.read(), Ready):
            assert isinstance(message, Loading)
            self.stages.append(message.stage)
        return message


@pytest.fixture
def raw(tiny_folder: Path) -> Iterator[RawEngine]:
    engine = RawEngine(tiny_folder)
    yield engine
    engine.process.kill()
    engine.process.wait()
    for stream in (engine.process.stdin, engine.process.stdout):
        assert stream is not None
        stream.close()


def test_requests_sent_while_the_model_loads_are_answered(raw: RawEngine) -> None:
    raw.write(frames.pack(OpenText(1, "s", "hello")))
    raw.until_ready()
    assert len(raw.stages) > 1
    assert isinstance(raw.read(), Opened)


def test_a_ping_is_answered_while_the_model_loads(raw: RawEngine) -> None:
    raw.write(frames.pack(Ping()))
    messages = [raw.read()]
    while not isinstance(messages[-1], Ready):
        messages.append(raw.read())
    assert Pong() in messages


def test_malformed_frames_are_answered_and_survived(raw: RawEngine) -> None:
    raw.until_ready()
    raw.write((4).to_bytes(4, "big") + b"\xc1\xc1\xc1\xc1")
    failed = raw.read()
    assert isinstance(failed, Failed)
    assert (failed.id, failed.kind) == (0, "EngineError")
    unknown = frames.pack(OpenText(9, "s", "x"))[4:].replace(b"OpenText", b"OpenTaxt")
    raw.write(len(unknown).to_bytes(4, "big") + unknown)
    failed = raw.read()
    assert isinstance(failed, Failed)
    assert failed.id == 9
    raw.write(frames.pack(Cancel(5000)) + frames.pack(OpenText(10, "s", "hello")))
    opened = raw.read()
    assert isinstance(opened, Opened)
    raw.write(frames.pack(Append(11, "s", (2**40,))))
    assert isinstance(raw.read(), Failed)
    raw.write(b"\xff\xff\xff\xff and so on")  # where the next frame begins is unknown
    failed = raw.read()
    assert isinstance(failed, Failed)
    assert raw.process.wait(10) == 0


@pytest.mark.slow
def test_it_ends_when_its_input_ends_even_while_it_works(raw: RawEngine) -> None:
    raw.until_ready()
    raw.write(frames.pack(OpenTokens(1, "s", (5,) * 400)))
    raw.write(frames.pack(AskSurprisals(2, "s", 0)))
    assert raw.process.stdin is not None
    raw.process.stdin.close()
    assert raw.process.wait(10) == 0


@pytest.mark.slow
def test_it_ends_when_half_a_frame_was_sent(raw: RawEngine) -> None:
    raw.until_ready()
    raw.write(frames.pack(OpenText(1, "s", "hello"))[:-2])
    assert raw.process.stdin is not None
    raw.process.stdin.close()
    assert raw.process.wait(10) == 0


@pytest.mark.slow
def test_it_is_nice_and_keeps_prints_out_of_the_answers(tiny_folder: Path, tmp_path: Path) -> None:
    """A library that prints while it is imported must not corrupt frames."""
    noisy = tmp_path / "sitecustomize.py"
    noisy.write_text(
        "import sys, importlib.abc\n"
        "class Noisy(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'torch': print('hello from a library', flush=True)\n"
        "sys.meta_path.insert(0, Noisy())\n"
    )
    process = subprocess.Popen(
        [*COMMAND, "--model", str(tiny_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert process.stdout is not None
    message: object = None
    while not isinstance(message, Ready):
        message = frames.answer_from(
            process.stdout.read(frames.payload_size(process.stdout.read(frames.HEADER)))
        )
    assert psutil.Process(process.pid).nice() > psutil.Process().nice() or os.nice(0) == 19
    _, errors = process.communicate(timeout=20)
    assert b"hello from a library" in errors


def test_it_dies_with_the_process_that_started_it(tiny_folder: Path) -> None:
    parent = (
        "import asyncio, sys\n"
        "from tutor.engine.client import EngineClient\n"
        "async def main():\n"
        "    engine = EngineClient(sys.argv[1])\n"
        "    await engine.start()\n"
        "    await engine.ready()\n"
        "    print(engine.pid, flush=True)\n"
        "    await asyncio.sleep(3600)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent, str(tiny_folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.communicate()
    assert child.wait(10) is None  # gone; it is not our child, so it has no exit status


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_memory_is_flat_over_10_000_steps(engine: EngineClient) -> None:
    """Both the engine and the process that asks it keep their size."""
    session = await engine.open_text("hello world")

    async def step_on(count: int) -> None:
        for seed in range(count):
            if len(session.tokens) > 100:
                session.go_back(5)
            found = await session.distribution(len(session.tokens), PLAIN, seed, top=10)
            session.append([found.drawn.token])

    def own_pages() -> list[int]:
        return [psutil.Process(pid).memory_full_info().uss for pid in (engine.pid, os.getpid())]

    await step_on(1000)
    early = own_pages()
    await step_on(9000)
    grown = [late - before for before, late in zip(early, own_pages(), strict=True)]
    assert max(grown) < 2_000_000, grown
