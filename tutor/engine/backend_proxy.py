"""The app's proxy for a lab backend in the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from tutor.engine.requests import AnswerKind
from tutor.engine.wire import AskLab, LabAnswer, Request
from tutor.environment import keys_held
from tutor.errors import EngineError
from tutor.labs.kit.registry import AnyLab


class LabHost(Protocol):
    """The part of the engine client that a backend proxy uses."""

    @property
    def served(self) -> bool: ...

    @property
    def own(self) -> LabHost: ...

    async def start(self) -> None: ...

    async def ask(
        self, expected: type[AnswerKind], request: Callable[[int], Request]
    ) -> AnswerKind: ...

    def new_name(self) -> str: ...

    def discard(self, name: str) -> None: ...


class BackendProxy:
    """A `LabBackend` that forwards each request to the engine.

    The engine creates the backend when it receives the first request. After a restart of the
    engine, this happens again; no state is lost, because each request contains everything that the
    backend needs.
    """

    def __init__(self, engine: LabHost, lab: AnyLab) -> None:
        self._engine = engine
        self._lab = lab
        self._asked: set[LabHost] = set()
        self._name = engine.new_name()

    async def answer(self, question: Any) -> Any:
        """Send the request `question` to the backend, and return the response.

        Canceling the call cancels the work. Raises any `TutorError` that the engine reports.
        """
        packed = msgspec.msgpack.encode(question)
        answer = await (await self._engine_for(question)).ask(
            LabAnswer, lambda id_: AskLab(id_, self._name, self._lab.name, packed)
        )
        try:
            return msgspec.msgpack.decode(answer.answer, type=self._lab.answers)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise EngineError(f"The engine sent an invalid response: {error}.") from error

    async def _engine_for(self, question: Any) -> LabHost:
        engine = self._engine
        keys = self._lab.reaches_out and keys_held()
        if engine.served and (keys or self._lab.private(question)):
            engine = engine.own
            await engine.start()
        self._asked.add(engine)
        return engine

    def close(self) -> None:
        """Close the backend in the engine."""
        for engine in self._asked:
            engine.discard(self._name)
