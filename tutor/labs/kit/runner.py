"""Takes a lab from one state to the next, and asks the engine what a state asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tutor.engine.api import EngineState
from tutor.errors import RequestCancelled, TutorError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.worker import Worker

    from tutor.engine.api import Engine
    from tutor.labs.kit.registry import AnyLab


ANEW = "Another model is loaded: the lab begins anew."


@dataclass(frozen=True)
class Left:
    """Where a lab was left: its state, and the checksum of the model that the state speaks of,
    None where no model has said anything yet."""

    state: Any
    model: str | None


class LabRunner:
    """Goes on from where the lab was `left`, or begins. `changed` is called after every change of
    `state`, `error` or `note`.

    An action takes effect at once; the question of the new state takes the place of the one under
    way, unless it is the same. `error` is what the last question or action met with: it is asked
    again after the next action, or when the engine is up again. What one model said means nothing
    to another: when the model changes, a lab that asks it begins anew, and `note` says so.
    """

    def __init__(
        self,
        lab: AnyLab,
        engine: Engine,
        left: Left | None,
        work: Callable[[Callable[[], Coroutine[Any, Any, None]]], Worker[None]],
        changed: Callable[[], None],
    ) -> None:
        """`work` begins to wait for an answer, beside everything else."""
        self.lab = lab
        self.state = lab.start() if left is None else left.state
        self.error: TutorError | None = None
        self.note: str | None = None
        self._model = None if left is None else left.model
        self._work = work
        self._changed = changed
        self._follow_model(engine)
        self._backend = engine.lab_backend(lab)
        self._asked: Any = None
        self._asking: Worker[None] | None = None
        self._unwatch = engine.watch(self._engine_changed)

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._asking is not None

    @property
    def can_ask_again(self) -> bool:
        """Whether a question was met with an error and is still open. An action that was refused
        leaves nothing to ask."""
        owed = self.error is not None and not self.busy
        return owed and self.lab.question(self.state) is not None

    @property
    def left(self) -> Left:
        """Where the lab stands."""
        return Left(self.state, self._model)

    def begin(self) -> None:
        self._pursue()
        self._changed()

    def act(self, action: Any) -> None:
        self.error = self.note = None
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
        self._backend.close()

    def _pursue(self) -> None:
        question = self.lab.question(self.state)
        if question is not None and self.busy and question == self._asked:
            return
        self._drop()
        if question is not None:
            self._asked = question
            self._asking = self._work(partial(self._ask, question))

    async def _ask(self, question: Any) -> None:
        try:
            answer = await self._backend.answer(question)
            self.state = self.lab.receive(self.state, question, answer)
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
        anew = self._follow_model(engine)
        if engine.state is EngineState.READY and (anew or self.error is not None):
            self.error = None
            self._pursue()
            self._changed()

    def _follow_model(self, engine: Engine) -> bool:
        """Whether the model is another one than before, and so the state the one to begin with."""
        if engine.model is None:
            return False
        before, self._model = self._model, engine.model.sha256
        if before in (None, self._model) or not self.lab.asks_model:
            return False
        self.state, self.note = self.lab.start(), ANEW
        return True
