"""The app's end of the engine: starts it, asks it, starts it again when it dies.

Everything runs on the app's event loop and returns to it at once; the work is done in the other
process. Cancelling a task that waits for an answer cancels the work too. Honest work may take its
time; an engine that is silent while something is owed is ended, and started again.

Where the machine has an engine that serves many, that one is used, and waited for when it ends. It
does not do everything: what concerns the learner's own files and keys goes to `own`.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tutor.engine.answers import AnswerKind, error_in, expect
from tutor.engine.channel import Channel
from tutor.engine.connection import EngineConnection
from tutor.engine.liveness import Liveness
from tutor.engine.process import COMMAND, EngineProcess
from tutor.engine.proxy import EngineSession
from tutor.engine.wire import (
    Allow,
    Answer,
    Cancel,
    Close,
    Failed,
    FromEngine,
    Loading,
    OpenChat,
    Opened,
    OpenText,
    OpenTokens,
    Ping,
    Ready,
    Request,
    Tokenize,
    Tokens,
)
from tutor.errors import EngineError, NoSharedEngine, TutorError
from tutor.lm.distribution import ChatMessage, ModelCard, Token
from tutor.models.report import in_words
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.keys import from_environment

__all__ = ["Engine", "EngineSession", "EngineState"]


class EngineState(enum.Enum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    STOPPED = "stopped"


class _Unchanged(enum.Enum):
    UNCHANGED = enum.auto()


UNCHANGED: Final = _Unchanged.UNCHANGED

# Seconds without a word after which the engine counts as hung. Until the model is ready they are
# many: one library that comes from a slow disk keeps every thread of a Python process waiting.
START_SILENCE = 120.0
SILENCE = 20.0
RESTARTS = 3  # so many within `RESTART_WINDOW` seconds; after that it is left to the user
RESTART_WINDOW = 60.0
RETURN = 120  # looks for a shared engine that has ended, `RETURN_PAUSE` seconds apart
RETURN_PAUSE = 0.5

_AGAIN = "It is started again by itself, with the same text."
_NOT_AGAIN = "It ended again and again, as it does where memory is short. It can be started again."


class Engine:
    """One engine, kept alive.

    `model` is a `--model` specification, None for the default. `shared` is the socket of an engine
    that serves many; without one, or where nobody listens there, a process is started. `state` and
    `detail` are for a status line; `failure` says why the engine stopped, or why it is just being
    started again.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        shared: Path | None = None,
        command: Sequence[str] = COMMAND,
        start_silence: float = START_SILENCE,
        silence: float = SILENCE,
    ) -> None:
        self.state = EngineState.STOPPED
        self.detail = ""
        self.model: ModelCard | None = None
        self.failure: TutorError | None = None
        self.generation = 0
        """Raised with each process started: a session opened in an earlier one is gone."""
        self._specification = model
        self._shared = shared
        self._command = command
        self._start_silence = start_silence
        self._silence = silence
        self._liveness = Liveness()
        self._channel: Channel | None = None
        self._life: asyncio.Task[None] | None = None
        self._stopping = False
        self._turn = asyncio.Lock()
        """Starting and stopping take turns: the keeper and the learner may both ask for it."""
        self._starts_in_vain = 0
        self._deaths: deque[float] = deque(maxlen=RESTARTS + 1)
        self.served = False
        """Whether the engine is one that serves many."""
        self._second: Engine | None = None
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Answer]] = {}
        self._allowed: dict[str, Allow] = {}
        self._watchers: list[Callable[[Engine], None]] = []
        self._changed = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return None if self._channel is None else self._channel.pid

    def watch(self, callback: Callable[[Engine], None]) -> Callable[[], None]:
        """Call `callback` after every change of state; the result stops that."""
        self._watchers.append(callback)

        def unwatch() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return unwatch

    @property
    def own(self) -> Engine:
        """The learner's own engine: this one, or a second one, for labs, where this one serves
        many. It has to be started."""
        if not self.served:
            return self
        if self._second is None:
            self._second = Engine(self._specification, command=(*self._command, "--labs"))
            self._second._allowed.update(self._allowed)
        return self._second

    # --- starting and stopping --------------------------------------------------------------

    async def start(self) -> None:
        """Begin to start the engine, if it is not running; `ready` waits for it."""
        async with self._turn:
            self._begin()

    async def stop(self) -> None:
        """End the process, or leave the one that is shared. Requests under way fail."""
        async with self._turn:
            await self._end()

    async def restart(self, model: str | _Unchanged | None = UNCHANGED) -> None:
        """Stop and start again, with another model if one is named."""
        async with self._turn:
            await self._end()
            if model is not UNCHANGED:
                self._specification = model
            self._begin()

    def _begin(self) -> None:
        if self._life is not None and not self._life.done():
            return
        self._stopping = False
        self._deaths.clear()
        self._starts_in_vain = 0
        self.served = False
        self.failure = None
        self._enter(EngineState.STARTING, "starting")
        self._life = asyncio.create_task(self._live(), name="engine")

    async def _end(self) -> None:
        self._stopping = True
        if self._second is not None:
            await self._second.stop()
            self._second = None
        if self._channel is not None:
            await self._channel.end()
        if self._life is not None:
            await asyncio.wait({self._life})  # cancelling whoever waits must not cancel it
        self.failure = None
        self._enter(EngineState.STOPPED, "")

    async def ready(self) -> ModelCard:
        """Wait until the model is loaded. Raises the `TutorError` that keeps it from being."""
        await self._answering()
        if self.model is None:
            raise EngineError("This engine answers labs alone.")
        return self.model

    async def _answering(self) -> None:
        """Wait until requests are answered. Raises the `TutorError` that keeps them from it."""
        while self.state is not EngineState.READY:
            if self.state is EngineState.STOPPED:
                raise self.failure or EngineError("The engine is not running.", "Start it first.")
            await self._changed.wait()

    # --- asking -----------------------------------------------------------------------------

    async def open_text(self, text: str) -> EngineSession:
        """Start a session on raw text."""
        return await self._open(lambda id_, name: OpenText(id_, name, text))

    async def open_chat(self, messages: Sequence[ChatMessage]) -> EngineSession:
        """Start a session on a conversation, up to where the assistant is to speak."""
        return await self._open(lambda id_, name: OpenChat(id_, name, tuple(messages)))

    async def open_tokens(self, ids: Sequence[int], data: Sequence[bytes] = ()) -> EngineSession:
        """Start a session on exactly these tokens; `data` are their bytes, where the model is
        elsewhere."""
        return await self._open(lambda id_, name: OpenTokens(id_, name, tuple(ids), tuple(data)))

    async def tokenize(self, text: str) -> tuple[Token, ...]:
        return (await self.ask(Tokens, lambda id_: Tokenize(id_, text))).tokens

    async def ask(
        self, expected: type[AnswerKind], request: Callable[[int], Request]
    ) -> AnswerKind:
        """Send the request made with a fresh id and wait for its answer, of the type `expected`.

        Raises the `TutorError` that the engine answers with, or `EngineError` if it ends first.
        """
        (answer,) = await self.ask_in_a_row([request])
        return expect(expected, answer)

    async def ask_in_a_row(self, requests: Sequence[Callable[[int], Request]]) -> list[Answer]:
        """Send several requests at once, which are worked on in this order, and wait for the
        answers; `Failed` are among them. Raises `EngineError` if the engine ends first."""
        await self._answering()
        if self._channel is None:
            raise EngineError("The engine is just ending.", "Try again in a moment.")
        loop = asyncio.get_running_loop()
        waiting: dict[int, asyncio.Future[Answer]] = {}
        for request, id_ in zip(requests, self._ids, strict=False):
            self._channel.send(request(id_))
            waiting[id_] = self._pending[id_] = loop.create_future()
        self._liveness.owe(True)
        try:
            return await asyncio.gather(*waiting.values())
        except asyncio.CancelledError:
            if self._channel is not None:
                for id_ in self._pending.keys() & waiting.keys():
                    self._channel.send(Cancel(id_))
            raise
        finally:
            for id_ in waiting:
                self._forget(id_)

    def new_name(self) -> str:
        """A name that no session has had, and that nobody can guess."""
        return secrets.token_urlsafe(12)

    def discard(self, name: str) -> None:
        """Let the engine forget a session; nobody waits for its answer."""
        if self._channel is not None:
            self._channel.send(Close(next(self._ids), name))

    # --- what may leave the machine ---------------------------------------------------------

    def allowed(self, model: RemoteModel) -> bool:
        """Whether the learner has agreed that texts are sent to the host of `model`; for one on
        this machine nobody need be asked."""
        return model.here or model.host in self._allowed

    def allow(self, model: RemoteModel) -> None:
        """Texts may be sent to its host from now on, until the program ends. The engine gets the
        key with it, if the environment has one."""
        key = from_environment(model.service)
        allow = Allow(model.host, key.reveal() if key else "")
        self._allowed[model.host] = allow
        if self._channel is not None and not self._channel.shared:
            self._channel.send(allow)
        if self._second is not None:
            self._second.allow(model)

    async def _open(self, request: Callable[[int, str], Request]) -> EngineSession:
        name = self.new_name()
        try:
            opened = await self.ask(Opened, lambda id_: request(id_, name))
        except asyncio.CancelledError:
            self.discard(name)  # it may have been opened just before
            raise
        return EngineSession(self, name, opened.tokens)

    # --- the life of the process --------------------------------------------------------------

    async def _live(self) -> None:
        """Start the process, listen to it, and start it again when it ends, until that is
        intended or useless."""
        while not self._stopping:
            try:
                self._channel = await self._reach()
            except EngineError as error:
                self._give_up(error)
                return
            self.generation += 1
            final, reason = await self._listen(self._channel)
            self._channel = None
            self._fail_pending(reason)
            if self._stopping:
                self._enter(EngineState.STOPPED, "")
                return
            again = not final and not self._too_many_deaths()
            if not reason.next_step:
                reason.next_step = _AGAIN if again else _NOT_AGAIN
            if not again:
                self._give_up(reason)
                return
            self.failure = reason
            self._enter(EngineState.STARTING, "starting again")

    async def _reach(self) -> Channel:
        """The engine that serves many, where there is one, else a process of one's own. Raises
        `EngineError`."""
        shared = None if self._shared is None else await self._reach_shared(self._shared)
        return shared or await EngineProcess.start(self._full_command())

    async def _reach_shared(self, path: Path) -> Channel | None:
        """None where nobody listens. Where somebody did a moment ago, the engine is being started
        again, and is waited for: if everybody started a process in its place, the machine would
        not bear it. Raises `NoSharedEngine` where it does not come back."""
        for look in range(1, RETURN + 1):
            try:
                channel = await EngineConnection.open(path)
            except NoSharedEngine:
                if not self.served:
                    return None
                if self._stopping or look == RETURN:
                    raise
            else:
                self.served = True
                return channel
            await asyncio.sleep(RETURN_PAUSE)
        return None

    async def _listen(self, channel: Channel) -> tuple[bool, TutorError]:
        """Take the messages of one process until it ends. Returns why it did, and whether that
        is final: whether another one would fare the same."""
        watch = asyncio.create_task(self._watch_over(channel), name="engine's liveness")
        try:
            if self._stopping:  # while the process was being started
                await channel.end()
            for allow in () if channel.shared else self._allowed.values():
                channel.send(allow)
            while (message := await channel.receive()) is not None:
                self._liveness.hear()
                if isinstance(message, Failed) and message.id == 0:
                    channel.kill()
                    await channel.end()
                    return self.state is not EngineState.READY, error_in(message)
                self._take(message)
            ending = await channel.end()
            if watch.done():  # that is why it ended
                return watch.result()
            return False, EngineError(ending)
        except EngineError as error:
            channel.kill()
            await channel.end()
            return False, error
        finally:
            watch.cancel()

    async def _watch_over(self, channel: Channel) -> tuple[bool, TutorError]:
        """End a process that owes something and is silent; returns what `_listen` does. SIGKILL
        ends a stopped process, too."""
        self._liveness.owe(True)  # it has to become ready
        await self._liveness.until_silent(lambda: channel.send(Ping()), self._patience)
        ready = self.state is EngineState.READY
        seconds = f"{self._patience():g} seconds"
        channel.kill()
        if ready:
            left = "left" if channel.shared else "ended"
            return False, EngineError(f"It did not answer for {seconds} and was {left}.")
        return True, EngineError(
            f"It did not start: it said nothing for {seconds}.", "It can be started again."
        )

    def _patience(self) -> float:
        return self._silence if self.state is EngineState.READY else self._start_silence

    def _full_command(self) -> list[str]:
        model = () if self._specification is None else ("--model", self._specification)
        return [*self._command, *model]

    def _take(self, message: FromEngine) -> None:
        match message:
            case Loading(stage, done, total):
                self._enter(EngineState.LOADING, in_words(stage, done, total))
            case Ready(model):
                self.model = model
                self.failure = None
                self._starts_in_vain = 0
                self._liveness.owe(bool(self._pending))
                self._enter(EngineState.READY, "")
            case Answer(id_):
                future = self._pending.get(id_)
                if future is not None and not future.done():
                    future.set_result(message)
                self._forget(id_)

    def _forget(self, id_: int) -> None:
        """Nothing is owed to this request any more."""
        self._pending.pop(id_, None)
        self._liveness.owe(bool(self._pending) or self.state is not EngineState.READY)

    def _too_many_deaths(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._deaths.append(now)
        self._starts_in_vain += 1
        if self._starts_in_vain > RESTARTS:
            return True
        return len(self._deaths) > RESTARTS and now - self._deaths[0] < RESTART_WINDOW

    def _fail_pending(self, error: TutorError) -> None:
        for future in self._pending.values():
            if not future.done():
                future.set_exception(error)
        self._pending.clear()

    def _give_up(self, error: TutorError) -> None:
        self.failure = error
        self._enter(EngineState.STOPPED, error.title)

    def _enter(self, state: EngineState, detail: str) -> None:
        self.state, self.detail = state, detail
        self._changed.set()
        self._changed = asyncio.Event()
        for callback in self._watchers:
            # on its own, so that a mistake in one cannot stop the engine's task
            asyncio.get_running_loop().call_soon(callback, self)
