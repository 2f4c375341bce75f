"""A `Channel` to an engine without a model or process, and a clock that a test advances.

Tests of the client use them: the other end of the channel is a function.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tests.engine.scripted_engine import answer, card
from tutor.engine import frames
from tutor.engine.api import EngineState
from tutor.engine.client import EngineClient
from tutor.engine.liveness import LOOKS, Liveness
from tutor.engine.reach import PATIENCE, Channel, Patience, Reach
from tutor.engine.wire import (
    Allow,
    AskEngineLoad,
    Cancel,
    FromEngine,
    Hello,
    Loading,
    Message,
    Ping,
    Pong,
    Ready,
    ToEngine,
)


class ScriptedChannel:
    """A `Channel` that passes each message to `script`, which may send anything back."""

    pid = None
    shared = False

    def __init__(self, script: Script, model: str) -> None:
        self.sessions: dict[str, int] = {}
        self.model = model
        self.pings = 0
        self.heard: list[ToEngine] = []
        self._script = script
        self._said: asyncio.Queue[FromEngine | None] = asyncio.Queue()

    def say(self, *messages: FromEngine) -> None:
        for message in messages:
            self._said.put_nowait(message)

    def become_ready(self) -> None:
        self.say(Loading("loading"), Ready(card(self.model)))

    def send(self, message: Message) -> None:
        heard = frames.request_from(frames.pack(message)[frames.HEADER :])
        self.pings += isinstance(heard, Ping)
        self.heard.append(heard)
        self._script(self, heard)

    async def receive(self) -> FromEngine | None:
        return await self._said.get()

    async def end(self) -> str:
        self.kill()
        await asyncio.sleep(0)
        return "The engine's process was ended by signal 9."

    def kill(self) -> None:
        self._said.put_nowait(None)


Script = Callable[[ScriptedChannel, ToEngine], None]


def serve(channel: ScriptedChannel, message: ToEngine) -> None:
    """Answer every message, like a well-behaved engine."""
    match message:
        case Ping():
            channel.say(Pong())
        case Cancel() | Allow() | Hello() | AskEngineLoad():
            pass
        case _:
            channel.say(answer(message, channel.sessions))


def only_pings(channel: ScriptedChannel, message: ToEngine) -> None:
    """Answer only pings, like an engine whose model is busy."""
    if isinstance(message, Ping):
        channel.say(Pong())


def silent(channel: ScriptedChannel, message: ToEngine) -> None:
    """Answer nothing at all."""


class Looks:
    """A simulated interval between the checks of `Liveness`. A test decides when it passes."""

    def __init__(self) -> None:
        self._sleeper: asyncio.Future[None] | None = None

    async def sleep(self, seconds: float) -> None:
        self._sleeper = asyncio.get_running_loop().create_future()
        await self._sleeper

    @property
    def due(self) -> bool:
        """Return True if `Liveness` is waiting for its next check."""
        return self._sleeper is not None and not self._sleeper.done()

    async def take(self, count: int = LOOKS) -> None:
        """Let `count` checks happen, each after everything sent before has arrived."""
        async with asyncio.timeout(30):
            for _ in range(count):
                while not self.due:
                    await asyncio.sleep(0.001)
                assert self._sleeper is not None
                self._sleeper.set_result(None)

    async def take_until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not done():
                if self.due:
                    await self.take(1)
                await asyncio.sleep(0.001)


class Starts:
    """A starter of engines in this process.

    Each engine follows the next script in `scripts`, and the last script repeats. With `ready`, the
    engines are ready immediately. If `model` is set, they have this model.
    """

    def __init__(self, *scripts: Script, ready: bool = True) -> None:
        self._scripts = scripts or (serve,)
        self._ready = ready
        self.model: str | None = None
        self.channels: list[ScriptedChannel] = []
        self.looks = Looks()

    async def start(self, command: Sequence[str]) -> Channel:
        script = self._scripts[min(len(self.channels), len(self._scripts) - 1)]
        channel = ScriptedChannel(script, self.model or command[-1])
        self.channels.append(channel)
        if self._ready:
            channel.become_ready()
        return channel

    async def channel(self, number: int) -> ScriptedChannel:
        """Wait until `number` engines have been started, and return the last of them."""
        async with asyncio.timeout(30):
            while len(self.channels) < number:
                await asyncio.sleep(0.001)
        return self.channels[number - 1]

    def client(self, patience: Patience = PATIENCE) -> EngineClient:
        reach = Reach(None, command=["engine"], patience=patience, start=self.start)
        return EngineClient(reach=reach, liveness=Liveness(self.looks.sleep))


async def reached(engine: EngineClient, wanted: EngineState) -> None:
    """Wait until the engine is in this state."""
    async with asyncio.timeout(30):
        while engine.state is not wanted:
            await asyncio.sleep(0.001)
