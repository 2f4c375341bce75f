"""Between the pane and the engine: asks what the stepper wants to know, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tutor.app.explorer.link import Link
from tutor.app.explorer.stepper import Question, Stepper
from tutor.engine.api import EngineState
from tutor.errors import EngineError, RequestCancelled, TextError, TutorError
from tutor.lm.distribution import ChatMessage

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from textual.worker import Worker

    from tutor.app.explorer.memory import Memory
    from tutor.app.explorer.state import Mode, State
    from tutor.course.goals import Evidence
    from tutor.engine.api import Engine
    from tutor.learner.texts import TextInfo
    from tutor.lm.distribution import Row, Token, XRay

Heard = Callable[[bool], None]
Work = Callable[[], "Coroutine[None, None, None]"]


def _nobody(_accepted: bool) -> None:
    pass


class Conductor:
    """Holds the stepper, its memory, and the link to the engine.

    `work` calls a coroutine function in a worker of its group, in place of the one that runs there;
    so what is not wanted any more is cancelled, at times before it was called. `changed` is called
    after anything that the screen shows. Who hands in a text (`begin`, `send`) hears in the end
    whether it was accepted.
    """

    def __init__(
        self,
        engine: Engine,
        memory: Memory,
        *,
        work: Callable[[Work, str], Worker[None]],
        changed: Callable[[], None],
        on_evidence: Callable[[Evidence], object],
    ) -> None:
        self.engine = engine
        self.state = memory.recall()
        self.stepper = Stepper(self.state, on_evidence)
        self.stepper.given = memory.given
        self._memory = memory
        self._link = Link(engine)
        self._work = work
        self._changed = changed
        self._asked: Question | None = None
        self._opening: object = None
        self._pending: Callable[[], None] | None = None
        self._asking: Worker[None] | None = None

    @property
    def ready(self) -> bool:
        return self.engine.state is EngineState.READY

    @property
    def chat_possible(self) -> bool:
        """False while it is not known."""
        return self.engine.model is not None and self.engine.model.chat

    @property
    def begins_by_itself(self) -> bool:
        """True where the lab says how the conversation begins."""
        return bool(self._memory.first_message)

    # --- what happened -----------------------------------------------------------------------

    def engine_changed(self) -> None:
        model = self.engine.model
        if self.ready and model is not None:
            if isinstance(self.stepper.note, EngineError):
                self.stepper.note = None
            self.stepper.end_ids = frozenset(model.end_ids)
            self.stepper.context = model.context
            self.stepper.ends_for_good = model.remote
            if self.state.belong_to(model.sha256 or model.name):
                self.stepper.forget_answer()
                self.stepper.note = (
                    f"These tokens were of another model; {model.name} has split the text again."
                )
        self._asked = None
        self.sync()

    def do(self, command: Callable[[], None]) -> None:
        """Carry out a command of the stepper; an answer that failed to come is asked for again."""
        if isinstance(self.stepper.note, TutorError):
            self._asked = None
        command()
        self.sync()

    def begin(self, text: str, heard: Heard) -> None:
        """Begin with this prompt or first message, as soon as the engine is ready."""
        self._expect(partial(self._open, text, heard))

    def send(self, text: str, heard: Heard) -> None:
        """Add the learner's message to the conversation, as soon as the engine is ready."""
        self._expect(partial(self._send, text, heard))

    def _expect(self, ask: Callable[[], None]) -> None:
        def hold() -> None:
            self._pending = ask

        self.do(lambda: self.stepper.expect(hold))

    def change_mode(self, mode: Mode) -> None:
        """Text and conversation each keep their own tree."""

        def change() -> None:
            self.state.mode = mode
            self.stepper.forget_answer()
            self.stepper.stale = None
            self._asked = None

        self.stepper.pause()
        if self.ready:
            self.do(lambda: self.stepper.after_all(change))
        else:  # nothing of what waits can happen now
            self._pending = None
            self.stepper.load(self.state)
            self.do(change)

    def recent(self) -> list[TextInfo]:
        """The texts that are kept at this place, the one changed last first."""
        return self._memory.recent()

    @property
    def open_id(self) -> str:
        """Id of the text that is open."""
        return self._memory.open_id

    def star(self, info: TextInfo) -> None:
        self._memory.star(info)

    def change_text(self, info: TextInfo | None) -> None:
        """Go over to another text that is kept, or (None) to one that has not begun."""
        self.save()
        state = self._memory.open(info) if info else self._memory.fresh(self.state.mode)
        if state is None:
            self.stepper.note = TextError("This text cannot be read.", "The others still can.")
            self._changed()
            return
        self._pending = self._asked = None
        if self._asking is not None:
            self._asking.cancel()
        self.state = state
        self.stepper.load(state)
        self.engine_changed()

    def stop_reading(self) -> None:
        """Give up what is being read. The text stays, and can be read later."""
        reading = self.stepper.reading
        if reading is None or self._asking is None:
            return
        self._asking.cancel()
        self.stepper.failed(
            RequestCancelled(
                f"Reading was stopped at token {reading[0]:,} of {reading[1]:,}.",
                "Any step goes on with it; e writes another text.",
            )
        )
        self._changed()

    def restart_engine(self) -> None:
        self._work(self._restart, "restart")

    def sync(self) -> None:
        """Ask what has to be asked, and show how things are."""
        self._ask_what_is_missing()
        self._changed()

    def save(self) -> None:
        """Keep the state for the next time. What goes wrong meanwhile, the app says."""
        said = self._memory.keep(self.state)
        if said is not None:
            self.stepper.note = said

    async def close(self) -> None:
        """Let the engine forget the session."""
        await self._link.close()

    # --- asking the engine -------------------------------------------------------------------

    def _ask_what_is_missing(self) -> None:
        if not self.ready:
            return
        pending, self._pending = self._pending, None
        if pending is not None:
            pending()
            return
        if self.stepper.tree is None:
            if self.state.mode == "text":
                self._open(self.state.prompt)
            elif self._memory.first_message and self.chat_possible:
                self._open(self._memory.first_message)
            return
        question = self.stepper.question
        if question is not None and question != self._asked:
            self._asked = question
            self.stepper.reading = None
            self._asking = self._work(partial(self._ask, question), "ask")

    async def _ask(self, question: Question) -> None:
        def read(done: int, total: int) -> None:
            self.stepper.reading = (done, total)
            self.stepper.stale = None  # The rows of another text would look like this one's.
            self._changed()

        try:
            answer = await self._link.answer(question, read)
        except RequestCancelled:
            return
        except TutorError as error:
            self.stepper.failed(error)
        else:
            self._asked = self.stepper.reading = None  # The same question may have to come again.
            self.stepper.arrived(question, answer)
        self.sync()

    def _open(self, text: str, heard: Heard = _nobody) -> None:
        """What the learner hands in takes the place of what was being opened by itself."""
        if self._opening is None or heard is not _nobody:
            self._opening = heard
            self._work(partial(self._open_in_engine, text, heard, self.state), "open")

    async def _open_in_engine(self, text: str, heard: Heard, state: State) -> None:
        mode, accepted = state.mode, False
        try:
            if mode == "chat":
                tokens = await self._link.open_chat([ChatMessage("user", text)])
            else:
                tokens = await self._link.open_text(text)
            if (state, mode) == (self.state, self.state.mode):
                self._begun(text, tokens)
                accepted = True
        except RequestCancelled:
            return
        except TutorError as error:
            self.stepper.failed(error)
            self._changed()
            heard(False)
            return
        finally:
            if self._opening is heard:
                self._opening = None
        heard(accepted)
        self.sync()

    def _begun(self, text: str, tokens: Sequence[Token]) -> None:
        if isinstance(self.stepper.note, TutorError):
            self.stepper.note = None  # it was what kept the text from being opened
        self.stepper.prompt(tokens)
        if self.state.mode == "text":
            self.state.prompt = text
        else:
            self.stepper.toggle_run()

    def _send(self, text: str, heard: Heard) -> None:
        self._work(partial(self._send_in_engine, text, heard), "open")

    async def _send_in_engine(self, text: str, heard: Heard) -> None:
        tree, accepted = self.stepper.tree, False
        if tree is None:
            return
        try:
            tokens = await self._link.append_turn(tree.tokens, text)
            if tree is self.stepper.tree:
                self.stepper.turn(tokens)
                self.stepper.toggle_run()
                accepted = True
        except RequestCancelled:
            return
        except TutorError as error:
            self.stepper.failed(error)
        heard(accepted)
        self.sync()

    async def _restart(self) -> None:
        try:
            await self.engine.restart()
        except TutorError as error:
            self.stepper.note = error
        self.sync()

    # --- looking around ----------------------------------------------------------------------

    async def find(self, query: str, limit: int) -> tuple[tuple[Row, ...], str]:
        """The rows that a search shows, and a sentence about them where there is one to say.

        A query that no token contains is split: its first piece can be taken. Raises what the
        engine raises."""
        answer, question = self.stepper.answer, self.stepper.answered
        if answer is None or question is None:
            return (), ""
        if not query:
            return answer.distribution.rows[:limit], ""
        try:
            return await self._link.find(question, query, limit), ""
        except TextError:
            row, pieces = await self._link.first_piece(question, query)
            return (row,), f"No single token contains “{query}”. It is made of pieces: {pieces}"

    async def xray(self, path: Sequence[Token], position: int, layer: int) -> XRay:
        """Inside the forward pass of the token at `position` of `path`."""
        return await self._link.xray(path, position, layer)
