"""Run a lab: apply the learner's actions, and send each state's requests to the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tutor.engine.api import EngineState
from tutor.errors import RequestCancelled, TutorError
from tutor.labs.kit.actions import MoveFocus, Reset, ShowView
from tutor.labs.kit.drafts import joined
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tutor.engine.api import Engine
    from tutor.labs.kit.drafts import Drafts
    from tutor.labs.kit.registry import AnyLab


MODEL_CHANGED = _("Another model was loaded, so the results are being recomputed.")
CONTINUES = _("This lab paused when you left it. It continues now.")
LAB_RESET = _("The lab was reset.")
LAB_RESET_CAN_UNDO = _("The lab was reset. Press u to undo.")
STOPPED = _("Stopped. Press r to continue.")
UNDO = _("Press u to undo.")
PART_RESET = _("Part of the lab was reset. Press z again to reset the whole lab, or u to undo.")


class Cancellable(Protocol):
    """A background task that can be canceled."""

    def cancel(self) -> object: ...


@dataclass(frozen=True)
class Left:
    """A snapshot of a lab that the learner has left, from which the lab can be continued.

    Attributes:
        state: The lab's state.
        model: The checksum of the model that computed the results, or None if no model had been
            loaded yet.
        touched: True if the learner has done anything in the lab since opening it.
        drafts: The texts that the learner has written but not submitted.
        entered: The texts that the learner has submitted, oldest first, along with the drafts in
            `aside`.
        aside: Drafts beside which the learner has submitted another text in the same field. They
            are no longer in the field, but among its earlier texts.
    """

    state: Any
    model: str | None
    touched: bool = False
    drafts: Drafts = field(default_factory=dict)
    entered: Drafts = field(default_factory=dict)
    aside: Drafts = field(default_factory=dict)

    @property
    def unsubmitted(self) -> Drafts:
        """All texts that the learner has not submitted. They are saved."""
        return joined(self.aside, self.drafts)


class LabRunner:
    """A running lab: either new, or continued from the point where the learner `left` it.

    An action takes effect immediately. If the new state has a different request, that request
    replaces the one in progress.

    If a request or an action fails, `error` is set. A failed request is sent again after the next
    action, or when the engine becomes ready again.

    Results of one model are not valid for another model. If the model changes, the lab keeps only
    the learner's work and requests all results again, and `note` informs the learner. Labs
    that don't use the model are not affected.
    """

    def __init__(
        self,
        lab: AnyLab,
        engine: Engine,
        left: Left | None,
        work: Callable[[Callable[[], Coroutine[Any, Any, None]]], Cancellable],
        changed: Callable[[], None],
    ) -> None:
        """Create a runner.

        `work` starts a background task that sends a request and waits for the response. `changed`
        is called after every change of `state`, `error` or `note`.
        """
        self.lab = lab
        self.state = lab.start() if left is None else left.state
        self.error: TutorError | None = None
        self.note: str | None = None
        self.drafts = {} if left is None else left.drafts
        self.entered = {} if left is None else left.entered
        self.aside = {} if left is None else left.aside
        self._before: Any = None
        self._dropped: Drafts = {}
        """The drafts that a reset has removed. They come back with the state before it."""
        self.touched = False
        """True if the learner has done anything, such as written a draft."""
        self._model = None if left is None else left.model
        self._work = work
        self._changed = changed
        self._follow_model(engine)
        if left is not None and left.touched and lab.question(self.state) is not None:
            self.note = self.note or CONTINUES
        self._backend = engine.lab_backend(lab)
        self._asked: Any = None
        self._asking: Cancellable | None = None
        self._stopped: Any = None
        self._unwatch = engine.watch(self._engine_changed)

    @property
    def busy(self) -> bool:
        """Return True if a request is in progress."""
        return self._asking is not None

    @property
    def can_ask_again(self) -> bool:
        """Return True if a failed request can be sent again.

        If the lab rejected an action, there is no request to send again.
        """
        owed = self.error is not None and not self.busy
        return owed and self.lab.question(self.state) is not None

    @property
    def left(self) -> Left:
        """Return a snapshot of the lab, from which the lab can be continued later."""
        kept = (self.drafts, self.entered, self.aside)
        return Left(self.state, self._model, self.touched, *kept)

    def begin(self) -> None:
        self._stopped = None
        self._pursue()
        self._changed()

    @property
    def stopped(self) -> bool:
        """Return True if the learner has stopped the current request."""
        return self._stopped is not None

    def say(self, note: str) -> None:
        """Show a note until the next action, in front of any note that is already shown."""
        self.note = " ".join(filter(None, (note, self.note)))
        self._changed()

    def stop(self) -> None:
        """Cancel the request in progress.

        The request is sent again after a call to `begin`, or after the learner's next action.
        Actions that only move the focus or change the view don't send the request again.
        """
        self._stopped, self.note = self._asked, None
        self._drop()
        self._changed()

    def reset(self) -> None:
        """Reset the settings or, if they are already reset, the whole lab. Drafts are removed."""
        before, reset = self.state, self.lab.reset_settings(self.state)
        self.state = self.lab.start() if reset is None else reset
        self.error, self._stopped, self.touched = None, None, True
        removed = joined(self.aside, self.drafts)
        if not self.lab.reset_is_final and (before != self.state or removed):
            self._before = self._before or before
            self._dropped = joined(self._dropped, removed)
        self.drafts.clear()
        self.aside.clear()
        if reset is None:
            self.note = LAB_RESET_CAN_UNDO if self.can_undo else LAB_RESET
        else:
            self.note = None if self.lab.reset_is_final else PART_RESET
        self._pursue()
        self._changed()

    @property
    def can_undo(self) -> bool:
        """Return True if the last reset or a destructive action can be undone."""
        return self._before is not None

    def undo(self) -> None:
        """Restore the state before a destructive action, or before a series of resets."""
        self.state, self._before = self.lab.undone(self._before), None
        self.drafts.update(joined(self._dropped, self.drafts))
        self._dropped = {}
        self.error = self.note = self._stopped = None
        self._pursue()
        self._changed()

    def act(self, action: Any) -> None:
        self.error = self.note = None
        self.touched, before = True, self.state
        try:
            self.state = self.lab.act(before, action)
        except TutorError as error:
            self.error = error
        if lost := self._lost(before, action):
            self._before, self._dropped, self.note = before, {}, f"{lost} {UNDO}"
        if not isinstance(action, MoveFocus | ShowView):
            self._stopped = None
            if not lost:
                self._before, self._dropped = None, {}
        self._pursue()
        self._changed()

    def _lost(self, before: Any, action: Any) -> str:
        """Return a sentence about what an action has removed, or "" if it has removed nothing."""
        if lost := self.lab.lost(before, self.state):
            return lost
        reset = isinstance(action, Reset) and before != self.state
        return LAB_RESET if reset and not self.lab.reset_is_final else ""

    def close(self) -> None:
        """Stop sending requests. The state is kept, so the lab can be continued later."""
        self._unwatch()
        self._drop()
        self._backend.close()

    def _pursue(self) -> None:
        question = self.lab.question(self.state)
        if question is not None and self.busy and question == self._asked:
            return
        self._drop()
        if question != self._stopped:
            self._stopped = None
        if question is not None and not self.stopped:
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
            if not self.busy and self.note == CONTINUES:
                self.note = None
        self._changed()

    def _drop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._asking = None

    def _engine_changed(self, engine: Engine) -> None:
        restarted = self._follow_model(engine)
        if engine.state is EngineState.READY and (restarted or self.error is not None):
            self.error = None
            self._pursue()
            self._changed()

    def _follow_model(self, engine: Engine) -> bool:
        """Drop the results, if there are any and the model has changed.

        Return True if the model has changed.
        """
        if engine.model is None:
            return False
        before, self._model = self._model, engine.model.sha256
        if before in (None, self._model) or not self.lab.asks_model:
            return False
        kept = self._without_results(self.state)
        self.note = None if kept == self.state else MODEL_CHANGED
        self.state = kept
        if self._before is not None:
            self._before = self._without_results(self._before)
            self.note = f"{MODEL_CHANGED} {UNDO}"
        return True

    def _without_results(self, state: Any) -> Any:
        return self.lab.restored(self.lab.saved(state))
