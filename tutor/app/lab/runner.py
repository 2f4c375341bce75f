"""Takes a lab from one state to the next, and asks the engine what a state asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tutor.engine.client import EngineState
from tutor.engine.remote_bench import EngineBench
from tutor.errors import RequestCancelled, TutorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.engine.client import Engine
    from tutor.labs.registry import AnyLab


class LabRunner:
    """`changed` is called after every change of `state` or `error`.

    An action takes effect at once; the question of the new state takes the place of the one under
    way, unless it is the same. `error` is what the last question or action met with: it is asked
    again after the next action, or when the engine is up again.
    """

    def __init__(
        self, lab: AnyLab, engine: Engine, state: Any, changed: Callable[[], None]
    ) -> None:
        self.lab = lab
        self.state = state
        self.error: TutorError | None = None
        self._changed = changed
        self._bench = EngineBench(engine, lab)
        self._asked: Any = None
        self._asking: asyncio.Task[None] | None = None
        self._unwatch = engine.watch(self._engine_changed)

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._asking is not None

    def begin(self) -> None:
        self._pursue()
        self._changed()

    def act(self, action: Any) -> None:
        self.error = None
        try:
            self.state = self.lab.act(self.state, action)
        except TutorError as error:
            self.error = error
        self._pursue()
        self._changed()

    def close(self) -> None:
        """Nothing is asked any more. The state stays, for whoever goes on from it."""
        self._unwatch()
        self._drop()
        self._bench.close()

    def _pursue(self) -> None:
        question = self.lab.question(self.state)
        if question is not None and self.busy and question == self._asked:
            return
        self._drop()
        if question is not None:
            self._asked = question
            self._asking = asyncio.create_task(self._ask(question), name=f"lab {self.lab.name}")

    async def _ask(self, question: Any) -> None:
        try:
            answer = await self._bench.answer(question)
            self.state = self.lab.heard(self.state, question, answer)
        except RequestCancelled:
            return
        except TutorError as error:
            self._asking = None
            self.error = error
        else:
            self._asking = None
            self._pursue()
        self._changed()

    def _drop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._asking = None

    def _engine_changed(self, engine: Engine) -> None:
        if engine.state is EngineState.READY and self.error is not None:
            self.error = None
            self._pursue()
            self._changed()
