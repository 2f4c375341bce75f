"""The app's end of the engine.

Everything here runs on the app's event loop and returns at once; the work is done in the other
process. Cancelling a task that waits for an answer cancels the work too.

If the machine has a shared engine, the app uses it. A shared engine does not do everything:
whatever needs the learner's own files or keys goes to `own`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from tutor.engine import wire
from tutor.engine.api import Engine, EngineState
from tutor.engine.backend_proxy import BackendProxy
from tutor.engine.liveness import Liveness
from tutor.engine.proxy import SessionProxy
from tutor.engine.reach import Channel, Reach
from tutor.engine.requests import AnswerKind, PendingRequests, expect
from tutor.engine.supervisor import Supervisor
from tutor.errors import EngineError, TutorError
from tutor.labs.kit.registry import AnyLab
from tutor.lm.distribution import ChatMessage, ModelCard, Token
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.keys import from_environment


class EngineClient:
    """An `Engine` in another process. It has to be started.

    `model` and `shared` are passed on to a `Reach`, which may be given instead.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        shared: Path | None = None,
        reach: Reach | None = None,
        liveness: Liveness | None = None,
    ) -> None:
        self._reach = reach or Reach(model, shared)
        self._requests = PendingRequests()
        self._supervisor = Supervisor(
            self._reach, self._requests, self._greet, self._announce, liveness or Liveness()
        )
        self._turn = asyncio.Lock()
        """Held while starting or stopping: both the app and the learner may ask for either."""
        self._second: EngineClient | None = None
        self._allowed: dict[str, wire.Allow] = {}
        self._watchers: list[Callable[[Engine], None]] = []

    @property
    def state(self) -> EngineState:
        return self._supervisor.state

    @property
    def detail(self) -> str:
        return self._supervisor.detail

    @property
    def model(self) -> ModelCard | None:
        return self._supervisor.model

    @property
    def failure(self) -> TutorError | None:
        return self._supervisor.failure

    @property
    def generation(self) -> int:
        return self._supervisor.generation

    @property
    def served(self) -> bool:
        return self._reach.served

    @property
    def pid(self) -> int | None:
        return None if self._channel is None else self._channel.pid

    @property
    def _channel(self) -> Channel | None:
        return self._supervisor.channel

    def watch(self, callback: Callable[[Engine], None]) -> Callable[[], None]:
        self._watchers.append(callback)

        def unwatch() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return unwatch

    def _announce(self) -> None:
        for callback in self._watchers:
            # called separately, so that an error in one cannot stop the engine's task
            asyncio.get_running_loop().call_soon(self._tell, callback)

    def _tell(self, callback: Callable[[Engine], None]) -> None:
        if callback in self._watchers:  # it may have been removed in the meantime
            callback(self)

    @property
    def own(self) -> EngineClient:
        """The learner's own engine, which has to be started.

        This is the same engine, or a second one that answers only labs if this one is shared.
        """
        if not self.served:
            return self
        if self._second is None:
            self._second = EngineClient(reach=self._reach.for_labs())
            self._second._allowed.update(self._allowed)
        return self._second

    async def start(self) -> None:
        async with self._turn:
            self._supervisor.begin()

    async def stop(self) -> None:
        async with self._turn:
            await self._end()

    async def restart(self) -> None:
        async with self._turn:
            await self._end()
            self._supervisor.begin()

    async def _end(self) -> None:
        if self._second is not None:
            await self._second.stop()
            self._second = None
        await self._supervisor.end()

    async def ready(self) -> ModelCard:
        await self._supervisor.answering()
        if self.model is None:
            raise EngineError("This engine answers only labs.")
        return self.model

    async def open_text(self, text: str) -> SessionProxy:
        return await self._open(lambda id_, name: wire.OpenText(id_, name, text))

    async def open_chat(self, messages: Sequence[ChatMessage]) -> SessionProxy:
        return await self._open(lambda id_, name: wire.OpenChat(id_, name, tuple(messages)))

    async def open_tokens(self, ids: Sequence[int], data: Sequence[bytes] = ()) -> SessionProxy:
        return await self._open(
            lambda id_, name: wire.OpenTokens(id_, name, tuple(ids), tuple(data))
        )

    async def tokenize(self, text: str) -> tuple[Token, ...]:
        return (await self.ask(wire.Tokens, lambda id_: wire.Tokenize(id_, text))).tokens

    def lab_backend(self, lab: AnyLab) -> BackendProxy:
        return BackendProxy(self, lab)

    async def ask(
        self, expected: type[AnswerKind], request: Callable[[int], wire.Request]
    ) -> AnswerKind:
        """Send the request made with a new id and return its answer, of the type `expected`.

        Raises the `TutorError` that the engine answers with, or `EngineError` if it ends first.
        """
        (answer,) = await self.ask_in_a_row([request])
        return expect(expected, answer)

    async def ask_in_a_row(
        self, requests: Sequence[Callable[[int], wire.Request]]
    ) -> list[wire.Answer]:
        """Send several requests, to be processed in this order, and return their answers.

        `Failed` answers are included. Raises `EngineError` if the engine ends first.
        """
        await self._supervisor.answering()
        if self._channel is None:
            raise EngineError("The engine is shutting down.", "Try again in a moment.")
        waiting: dict[int, asyncio.Future[wire.Answer]] = {}
        try:
            for request in requests:
                id_ = self._requests.new_id()
                self._channel.send(request(id_))
                waiting[id_] = self._requests.expect(id_)
            return await asyncio.gather(*waiting.values())
        except asyncio.CancelledError:
            if self._channel is not None:
                for id_ in waiting:
                    if id_ in self._requests:
                        self._channel.send(wire.Cancel(id_))
            raise
        finally:
            self._requests.forget(waiting)

    def new_name(self) -> str:
        """Return a name that no session has had and that cannot be guessed."""
        return secrets.token_urlsafe(12)

    def discard(self, name: str) -> None:
        """Tell the engine to forget a session, without waiting for its answer."""
        if self._channel is not None:
            self._channel.send(wire.Close(self._requests.new_id(), name))

    async def _open(self, request: Callable[[int, str], wire.Request]) -> SessionProxy:
        name = self.new_name()
        try:
            opened = await self.ask(wire.Opened, lambda id_: request(id_, name))
        except asyncio.CancelledError:
            self.discard(name)  # the engine may have opened it already
            raise
        return SessionProxy(self, name, opened.tokens)

    def allowed(self, model: RemoteModel) -> bool:
        """Return whether the learner has agreed to send text to the host of `model`.

        A host on this machine needs no consent.
        """
        return model.here or model.host in self._allowed

    def allow(self, model: RemoteModel) -> None:
        """Let text be sent to the host of `model`. The engine gets the key too, if there is one."""
        key = from_environment(model.service)
        allow = wire.Allow(model.host, key.reveal() if key else "")
        self._allowed[model.host] = allow
        if self._channel is not None and not self._channel.shared:
            self._channel.send(allow)
        if self._second is not None:
            self._second.allow(model)

    def _greet(self, channel: Channel) -> None:
        """Tell a new process which hosts it may send text to."""
        for allow in () if channel.shared else self._allowed.values():
            channel.send(allow)
