"""A lab's bench in the engine, as the app holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tutor.engine.protocol import AskLab, LabAnswer
from tutor.errors import EngineError

if TYPE_CHECKING:
    from tutor.engine.client import Engine
    from tutor.labs.registry import AnyLab


class EngineBench:
    """Answers the questions of one lab. The engine makes the bench with the first question, and
    makes it anew when it was started anew: a question holds all that is needed."""

    def __init__(self, engine: Engine, lab: AnyLab) -> None:
        self._engine = engine
        self._lab = lab
        self._name = engine.new_name()

    async def answer(self, question: Any) -> Any:
        """Raises the `TutorError` that the engine answers with. Cancelling whoever waits cancels
        the work."""
        packed = msgspec.msgpack.encode(question)
        answer = await self._engine.ask(
            LabAnswer, lambda id_: AskLab(id_, self._name, self._lab.name, packed)
        )
        try:
            return msgspec.msgpack.decode(answer.answer, type=self._lab.answers)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise EngineError(f"The engine's answer cannot be read: {error}.") from error

    def close(self) -> None:
        """Let the engine forget the bench."""
        self._engine.discard(self._name)
