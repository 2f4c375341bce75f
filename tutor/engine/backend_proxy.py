"""A lab's bench in the engine, as the app holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tutor.engine.wire import AskLab, LabAnswer
from tutor.environment import keys_held
from tutor.errors import EngineError

if TYPE_CHECKING:
    from tutor.engine.client import Engine
    from tutor.labs.kit.registry import AnyLab


class EngineBench:
    """Answers the questions of one lab. The engine makes the bench with the first question, and
    makes it anew when it was started anew: a question holds all that is needed."""

    def __init__(self, engine: Engine, lab: AnyLab) -> None:
        self._engine = engine
        self._lab = lab
        self._asked: set[Engine] = set()
        self._name = engine.new_name()

    async def answer(self, question: Any) -> Any:
        """Raises the `TutorError` that the engine answers with. Cancelling whoever waits cancels
        the work."""
        packed = msgspec.msgpack.encode(question)
        answer = await (await self._engine_for(question)).ask(
            LabAnswer, lambda id_: AskLab(id_, self._name, self._lab.name, packed)
        )
        try:
            return msgspec.msgpack.decode(answer.answer, type=self._lab.answers)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise EngineError(f"The engine's answer cannot be read: {error}.") from error

    async def _engine_for(self, question: Any) -> Engine:
        engine = self._engine
        keys = self._lab.reaches_out and keys_held()
        if engine.served and (keys or self._lab.private(question)):
            engine = engine.own
            await engine.start()
        self._asked.add(engine)
        return engine

    def close(self) -> None:
        """Let the engine forget the bench."""
        for engine in self._asked:
            engine.discard(self._name)
