"""The app's end of the engine: starts it, asks it, starts it again when it dies.

Everything runs on the app's event loop and returns to it at once; the work is done in the other
process. Cancelling a task that waits for an answer cancels the work too.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tutor import errors
from tutor.engine.process import COMMAND, EngineProcess
from tutor.engine.protocol import (
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
    Ready,
    Request,
    Tokenize,
    Tokens,
)
from tutor.engine.remote import EngineSession
from tutor.errors import EngineError, TutorError
from tutor.lm.distribution import ChatMessage, ModelCard, Token

__all__ = ["Engine", "EngineSession", "EngineState"]

AnswerKind = TypeVar("AnswerKind", bound=Answer)


class EngineState(enum.Enum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    STOPPED = "stopped"


class _Unchanged(enum.Enum):
    UNCHANGED = enum.auto()


UNCHANGED: Final = _Unchanged.UNCHANGED

START_TIMEOUT = 120.0  # seconds without a word before the model is ready; then the start is hung
RESTARTS = 3  # so many within `RESTART_WINDOW` seconds; after that it is left to the user
RESTART_WINDOW = 60.0


class Engine:
    """One engine process, kept alive.

    `model` is a `--model` specification, None for the default. `state` and `detail` are for a
    status line; `failure` says why the engine stopped, or why it is just being started again.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        command: Sequence[str] = COMMAND,
        start_timeout: float = START_TIMEOUT,
    ) -> None:
        self.state = EngineState.STOPPED
        self.detail = ""
        self.model: ModelCard | None = None
        self.failure: TutorError | None = None
        self.generation = 0
        """Raised with each process started: a session opened in an earlier one is gone."""
        self._specification = model
        self._command = command
        self._start_timeout = start_timeout
        self._process: EngineProcess | None = None
        self._life: asyncio.Task[None] | None = None
        self._stopping = False
        self._turn = asyncio.Lock()
        """Starting and stopping take turns: the keeper and the learner may both ask for it."""
        self._starts_in_vain = 0
        self._deaths: deque[float] = deque(maxlen=RESTARTS + 1)
        self._ids = itertools.count(1)
        self._names = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Answer]] = {}
        self._watchers: list[Callable[[Engine], None]] = []
        self._changed = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def watch(self, callback: Callable[[Engine], None]) -> Callable[[], None]:
        """Call `callback` after every change of state; the result stops that."""
        self._watchers.append(callback)

        def unwatch() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return unwatch

    # --- starting and stopping --------------------------------------------------------------

    async def start(self) -> None:
        """Begin to start the engine, if it is not running; `ready` waits for it."""
        async with self._turn:
            self._begin()

    async def stop(self) -> None:
        """End the process. Requests under way fail."""
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
        self.failure = None
        self._enter(EngineState.STARTING, "starting")
        self._life = asyncio.create_task(self._live(), name="engine")

    async def _end(self) -> None:
        self._stopping = True
        if self._process is not None:
            await self._process.end()
        if self._life is not None:
            await asyncio.wait({self._life})  # cancelling whoever waits must not cancel it
        self.failure = None
        self._enter(EngineState.STOPPED, "")

    async def ready(self) -> ModelCard:
        """Wait until the model is loaded. Raises the `TutorError` that keeps it from being."""
        while self.state is not EngineState.READY or self.model is None:
            if self.state is EngineState.STOPPED:
                raise self.failure or EngineError("The engine is not running.", "Start it first.")
            await self._changed.wait()
        return self.model

    # --- asking -----------------------------------------------------------------------------

    async def open_text(self, text: str) -> EngineSession:
        """Start a session on raw text."""
        return await self._open(lambda id_, name: OpenText(id_, name, text))

    async def open_chat(self, messages: Sequence[ChatMessage]) -> EngineSession:
        """Start a session on a conversation, up to where the assistant is to speak."""
        return await self._open(lambda id_, name: OpenChat(id_, name, tuple(messages)))

    async def open_tokens(self, ids: Sequence[int]) -> EngineSession:
        """Start a session on exactly these tokens."""
        return await self._open(lambda id_, name: OpenTokens(id_, name, tuple(ids)))

    async def tokenize(self, text: str) -> tuple[Token, ...]:
        return (await self.ask(Tokens, lambda id_: Tokenize(id_, text))).tokens

    async def ask(
        self,
        expected: type[AnswerKind],
        request: Callable[[int], Request],
        *,
        cancellable: bool = True,
    ) -> AnswerKind:
        """Send the request made with a fresh id and wait for its answer, of the type `expected`.

        Raises the `TutorError` that the engine answers with, or `EngineError` if it ends first.
        """
        await self.ready()
        if self._process is None:
            raise EngineError("The engine is just ending.", "Try again in a moment.")
        id_ = next(self._ids)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._process.send(request(id_))
        self._pending[id_] = future
        try:
            answer = await future
        except asyncio.CancelledError:
            if cancellable and self._process is not None:
                self._process.send(Cancel(id_))
            raise
        finally:
            self._pending.pop(id_, None)
        if isinstance(answer, Failed):
            raise _error_in(answer)
        if not isinstance(answer, expected):
            raise EngineError(f"The engine answered with {type(answer).__name__}.")
        return answer

    def new_name(self) -> str:
        """A name that no session has had."""
        return f"s{next(self._names)}"

    def discard(self, name: str) -> None:
        """Let the engine forget a session; nobody waits for its answer."""
        if self._process is not None:
            self._process.send(Close(next(self._ids), name))

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
                self._process = await EngineProcess.start(self._full_command())
            except EngineError as error:
                self._give_up(error)
                return
            self.generation += 1
            final, reason = await self._listen(self._process)
            self._process = None
            self._fail_pending(reason)
            if self._stopping:
                self._enter(EngineState.STOPPED, "")
                return
            if final or self._too_many_deaths():
                self._give_up(reason)
                return
            self.failure = reason
            self._enter(EngineState.STARTING, "starting again")

    async def _listen(self, process: EngineProcess) -> tuple[bool, TutorError]:
        """Take the messages of one process until it ends. Returns why it did, and whether that
        is final: whether another one would fare the same."""
        try:
            if self._stopping:  # while the process was being started
                await process.end()
            while True:
                patience = None if self.state is EngineState.READY else self._start_timeout
                async with asyncio.timeout(patience):
                    message = await process.receive()
                if message is None:
                    ending = await process.end()
                    return False, EngineError(f"The engine's process {ending}.", "Try again.")
                if isinstance(message, Failed) and message.id == 0:
                    process.kill()
                    await process.end()
                    return self.state is not EngineState.READY, _error_in(message)
                self._take(message)
        except TimeoutError:
            process.kill()
            await process.end()
            seconds = f"{self._start_timeout:g} seconds"
            return True, EngineError(
                f"The engine did not start: it said nothing for {seconds}.", "Try again."
            )
        except EngineError as error:
            process.kill()
            await process.end()
            return False, error

    def _full_command(self) -> list[str]:
        model = () if self._specification is None else ("--model", self._specification)
        return [*self._command, *model]

    def _take(self, message: FromEngine) -> None:
        match message:
            case Loading(stage):
                self._enter(EngineState.LOADING, stage)
            case Ready(model):
                self.model = model
                self.failure = None
                self._starts_in_vain = 0
                self._enter(EngineState.READY, "")
            case Answer(id_):
                future = self._pending.pop(id_, None)
                if future is not None and not future.done():
                    future.set_result(message)

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


def _error_in(failed: Failed) -> TutorError:
    """The error that the engine named; one of a kind unknown here is an `EngineError`."""
    kind = getattr(errors, failed.kind, EngineError)
    if not (isinstance(kind, type) and issubclass(kind, TutorError)):
        kind = EngineError
    return kind(failed.happened, failed.next_step)
