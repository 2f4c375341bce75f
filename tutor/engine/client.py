"""The app's client for the engine.

All methods are called on the app's event loop and never block it, because the engine process does
the work. Canceling a task that waits for a response also cancels the work.

If the machine has a shared engine, the app uses it. A shared engine doesn't handle requests that
need the learner's files or API keys, so these requests go to a second engine, `own`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from tutor.engine import wire
from tutor.engine.api import Engine, EngineKind, EngineState
from tutor.engine.backend_proxy import BackendProxy
from tutor.engine.connection import load_of
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

LOAD_TIMEOUT = 5.0
"""The maximum number of seconds to wait for a shared engine to report its load."""


class EngineClient:
    """An `Engine` in another process. Call `start` before you use it.

    `reach` determines the engine to connect to; the default is created from `model` and
    `shared`. `may_choose` is False if the learner must use the shared engine.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        shared: Path | None = None,
        reach: Reach | None = None,
        liveness: Liveness | None = None,
        may_choose: bool = True,
    ) -> None:
        self._reach = reach or Reach(model, shared)
        self._may_choose = may_choose
        self._requests = PendingRequests()
        self._supervisor = Supervisor(
            self._reach, self._requests, self._greet, self._announce, liveness or Liveness()
        )
        self._turn = asyncio.Lock()
        """A lock that is held while the engine starts or stops.

        It is needed because both the app and the learner can start or stop the engine.
        """
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
    def joins_shared(self) -> bool:
        """Return True if the client uses a shared engine, or may still connect to one.

        This is False once it is known that no engine listens on the socket.
        """
        reach = self._reach
        return reach.shared is not None and reach.joins and not reach.unanswered

    @property
    def alternative(self) -> EngineKind | None:
        if not self._may_choose or self._reach.shared is None:
            return None
        if not self._reach.joins:
            return "shared"
        return "own" if self.served else None

    async def learners(self) -> int | None:
        if self._reach.shared is None or not self.served:
            return None
        try:
            async with asyncio.timeout(LOAD_TIMEOUT):
                return (await load_of(self._reach.shared)).learners
        except (TutorError, OSError, TimeoutError):
            return None

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
            # The event loop calls each callback separately, so an error in one cannot stop the
            # supervisor.
            asyncio.get_running_loop().call_soon(self._tell, callback)

    def _tell(self, callback: Callable[[Engine], None]) -> None:
        if callback in self._watchers:  # the callback may have been removed by now
            callback(self)

    @property
    def own(self) -> EngineClient:
        """A client for the learner's own engine.

        This is `self` unless the engine is shared. For a shared engine, it is a client for a second
        engine, which serves only labs and must be started separately.
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

    async def choose(self, kind: EngineKind) -> None:
        self._reach.joins = kind == "shared"
        await self.restart()

    async def _end(self) -> None:
        if self._second is not None:
            await self._second.stop()
            self._second = None
        await self._supervisor.end()

    async def ready(self) -> ModelCard:
        await self._supervisor.answering()
        if self.model is None:
            raise EngineError("This engine serves only labs.")
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
        """Send a request and return its response, which must be of type `expected`.

        `request` is called with a new id and returns the message. Raises any `TutorError` that the
        engine reports, or `EngineError` if the engine stops before it responds.
        """
        (answer,) = await self.ask_in_a_row([request])
        return expect(expected, answer)

    async def ask_in_a_row(
        self, requests: Sequence[Callable[[int], wire.Request]]
    ) -> list[wire.Answer]:
        """Send several requests, and return their responses in the same order.

        The engine also processes the requests in this order. If a request fails, the result
        contains its `Failed` response. Raises `EngineError` if the engine stops before it has
        responded to all of them.
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
        """Return a new session name that other learners cannot guess."""
        return secrets.token_urlsafe(12)

    def discard(self, name: str) -> None:
        """Close a session in the engine without waiting for the response."""
        if self._channel is not None:
            self._channel.send(wire.Close(self._requests.new_id(), name))

    async def _open(self, request: Callable[[int, str], wire.Request]) -> SessionProxy:
        name = self.new_name()
        try:
            opened = await self.ask(wire.Opened, lambda id_: request(id_, name))
        except asyncio.CancelledError:
            self.discard(name)  # the engine may have opened the session already
            raise
        return SessionProxy(self, name, opened.tokens)

    def allowed(self, model: RemoteModel) -> bool:
        """Return True if the learner has agreed to send text to the host of `model`.

        A host on this machine needs no consent.
        """
        return model.here or model.host in self._allowed

    def allow(self, model: RemoteModel) -> None:
        """Allow sending text to the host of `model`, and send the host's API key to the engine."""
        key = from_environment(model.service)
        allow = wire.Allow(model.host, key.reveal() if key else "")
        self._allowed[model.host] = allow
        if self._channel is not None and not self._channel.shared:
            self._channel.send(allow)
        if self._second is not None:
            self._second.allow(model)

    def _greet(self, channel: Channel) -> None:
        """Send the allowed hosts and their API keys to a new engine process."""
        for allow in () if channel.shared else self._allowed.values():
            channel.send(allow)
