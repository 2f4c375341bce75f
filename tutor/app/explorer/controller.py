"""The explorer's controller, which carries out effects and reports their results as events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, assert_never

from tutor.app.explorer import effects, events
from tutor.app.explorer.chat.unsent import unsent_as_draft
from tutor.app.explorer.effects import EngineInfo, Question, Rebuild, Retokenize, Start
from tutor.app.explorer.link import Link
from tutor.app.explorer.share.saving import save_shared
from tutor.app.explorer.state import State
from tutor.app.explorer.update import returns_texts, update
from tutor.course.goals import Evidence
from tutor.errors import NoHome, RequestCancelled, TutorError
from tutor.language import _
from tutor.lm import saved_steering
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tutor.app.explorer.effects import Effect, Request
    from tutor.app.explorer.events import Event
    from tutor.app.explorer.saved_texts import SavedTexts
    from tutor.engine.api import Engine
    from tutor.labs.kit.runner import Cancellable
    from tutor.lm.distribution import Row
    from tutor.lm.saved_steering import SavedVector

SAVING_STOPPED = _("Saving was stopped before it was done, so there is no file.")

Work = Callable[[], "Coroutine[None, None, None]"]


def _vectors() -> tuple[SavedVector, ...]:
    """Return the learner's saved steering vectors."""
    try:
        return saved_steering.saved(saved_steering.folder_of_learner())
    except NoHome:
        return ()


class ExplorerController:
    """A controller that stores the state of an explorer and carries out its effects.

    `work` runs a coroutine function in a worker. A new worker cancels the previous worker of the
    same group, whose result is no longer needed. `show` is called with each new state, and `report`
    with all evidence for goals.
    """

    def __init__(
        self,
        engine: Engine,
        texts: SavedTexts,
        *,
        work: Callable[[Work, str], Cancellable],
        show: Callable[[State], None],
        report: Callable[[Evidence], object],
        before_failure: Callable[[], object] = lambda: None,
    ) -> None:
        """Create a controller.

        `before_failure` closes the editor before a failure returns unsent texts to it.
        """
        self._engine = engine
        self._texts = texts
        self.link = Link(engine)
        self._work = work
        self._show = show
        self._report = report
        self._before_failure = before_failure
        self._events: deque[Event] = deque()
        self._handling = False
        self._left = False
        self._asking: Cancellable | None = None
        self._sharing: Cancellable | None = None
        self._forget_engine: Callable[[], None] = lambda: None
        self._state = State(
            document=texts.recall(),
            given=texts.given,
            first_message=texts.first_message,
            advised=texts.advised,
        )

    @property
    def state(self) -> State:
        return self._state

    def start(self) -> None:
        """Start watching the state of the engine, unless the pane is already being removed."""
        if self._left:
            return
        self._forget_engine = self._engine.watch(lambda _: self._engine_changed())
        self._engine_changed()
        # This takes a moment. It starts now, so that the vectors are known when the panel opens.
        self._run(effects.PlainEffect.LIST_VECTORS)

    @property
    def left(self) -> bool:
        """True if the pane is being removed. From then on, nothing changes and nothing is drawn."""
        return self._left

    def stop_receiving(self) -> None:
        """Ignore all events from now on, because the pane is about to be removed.

        This method may be called more than once.
        """
        if not self._left:
            self._left = True
            self._forget_engine()

    async def close(self) -> None:
        """Save the document and close the session with the engine. Call `stop_receiving` first."""
        self._texts.save(unsent_as_draft(self._state).document)
        await self.link.close()

    def send(self, event: Event) -> None:
        """Handle an event, and all events that its effects cause immediately."""
        if self._left:
            return
        writing = self._state.panel == "editor" and not self._handling
        if writing and returns_texts(self._state, event):
            self._before_failure()
        self._events.append(event)
        if self._handling:
            return  # the call that is already running handles the event
        self._handling = True
        try:
            while self._events:
                self._state, wanted = update(self._state, self._events.popleft())
                for effect in wanted:
                    self._run(effect)
        finally:
            self._handling = False
        self._show(self._state)

    def _engine_changed(self) -> None:
        engine = self._engine
        info = EngineInfo(
            engine.state,
            engine.detail,
            engine.failure,
            engine.model,
            engine.served,
            engine.alternative,
        )
        self.send(events.EngineChanged(info))

    def _run(self, effect: Effect) -> None:
        match effect:
            case Question() | Start() | Rebuild() | Retokenize():
                self._asking = self._work(partial(self._ask, effect), "ask")
            case effects.PlainEffect.CANCEL_REQUEST:
                if self._asking is not None:
                    self._asking.cancel()
            case effects.FindTokens():
                self._work(partial(self._find, effect), "search")
            case effects.PlainEffect.RESTART_ENGINE:
                self._work(self._restart, "restart")
            case effects.SaveText(document):
                said = self._texts.save(document)
                if said is not None:
                    self.send(events.Say(said))
            case effects.PlainEffect.LIST_VECTORS:
                self._work(self.list_vectors, "vectors")
            case effects.PlainEffect.PART_TEXT:
                self._texts.part()
            case effects.PlainEffect.LIST_TEXTS:
                self.send(events.TextsListed(self._texts.listed(), self._texts.open_id))
            case effects.SwitchText(info, mode):
                shown = self._state.document
                opened = self._texts.open(info) if info else self._texts.fresh(mode, shown)
                self.send(events.TextOpened(opened, fresh=info is None))
            case effects.StarText(info):
                self._texts.star(info)
            case effects.ShareText():
                self._sharing = self._work(partial(self._share, effect), "share")
            case Evidence():
                self._report(effect)
            case _:
                assert_never(effect)

    async def _ask(self, request: Request) -> None:
        event: Event
        try:
            if isinstance(request, Question):
                answer = await self.link.answer(request, self._reading)
                event = events.Answered(request, answer)
            elif isinstance(request, Rebuild | Retokenize):
                event = events.Rebuilt(request, await self.link.rebuild(request))
            else:
                event = events.TokensArrived(request, await self.link.start(request))
        except RequestCancelled:
            return
        except TutorError as error:
            event = events.RequestFailed(request, error)
        self.send(event)

    def _reading(self, done: int, total: int) -> None:
        self.send(events.Reading(done, total))

    async def _find(self, wanted: effects.FindTokens) -> None:
        rows: tuple[Row, ...] = ()
        try:
            rows, said = await self.link.find(wanted.question, wanted.query, wanted.limit)
        except RequestCancelled:
            return
        except TutorError as error:
            said = f"{error.happened} {error.next_step}"
        self.send(events.TokensFound(wanted.query, rows, said))

    async def list_vectors(self) -> None:
        """Read the saved vectors in a thread, because there may be many on a slow disk."""
        self.send(events.VectorsListed(await asyncio.to_thread(_vectors)))

    @property
    def saving(self) -> bool:
        """True while a text is being saved as a file for other people."""
        return self._sharing is not None

    def stop_saving(self) -> None:
        """Stop saving a text as a file, which takes long for a long text."""
        sharing, self._sharing = self._sharing, None
        if sharing is not None:
            sharing.cancel()
            self.send(events.Say(SAVING_STOPPED))

    async def _share(self, wanted: effects.ShareText) -> None:
        said: TutorError | str
        try:
            path = await save_shared(wanted, self.link, self._computed)
            said = _("Saved as {path}.").format(path=safe(str(path)))
        except RequestCancelled:
            said = SAVING_STOPPED
        except TutorError as error:
            said = error
        self._sharing = None
        self.send(events.Say(said))

    def _computed(self, done: int, total: int) -> None:
        said = _("Saving: {done:,} of {total:,} distributions.")
        self.send(events.Say(said.format(done=done, total=total)))

    async def _restart(self) -> None:
        try:
            await self._engine.restart()
        except TutorError as error:
            self.send(events.Say(error))
