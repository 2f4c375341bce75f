"""Between the pane and the engine: asks what the stepper wants to know, one thing at a time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tutor.app.explorer.link import Link
from tutor.app.explorer.stepper import Question, Stepper
from tutor.engine.client import EngineState
from tutor.errors import EngineError, RequestCancelled, StoreError, TextError, TutorError
from tutor.lm.distribution import ChatMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tutor.app.explorer.memory import Memory
    from tutor.app.explorer.state import Mode
    from tutor.course.goals import Evidence
    from tutor.engine.client import Engine
    from tutor.lm.distribution import Row, Token, XRay


class Conductor:
    """Holds the stepper, its memory, and the link to the engine.

    `work` runs a coroutine as a worker of its group, in place of the one that runs there; so what
    is not wanted any more is cancelled. `changed` is called after anything that the screen shows.
    """

    def __init__(
        self,
        engine: Engine,
        memory: Memory,
        *,
        work: Callable[[Coroutine[None, None, None], str], object],
        changed: Callable[[], None],
        on_evidence: Callable[[Evidence], object],
    ) -> None:
        self.engine = engine
        self.state = memory.recall()
        self.stepper = Stepper(self.state, on_evidence)
        self._memory = memory
        self._link = Link(engine)
        self._work = work
        self._changed = changed
        self._asked: Question | None = None
        self._opening = False
        self._pending: Callable[[], None] | None = None

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

    def begin(self, text: str) -> None:
        """Begin with this prompt or first message, as soon as the engine is ready."""
        self._pending = partial(self._open, text)
        self.sync()

    def send(self, text: str) -> None:
        """Add the learner's message to the conversation, as soon as the engine is ready."""
        self._pending = partial(self._send, text)
        self.sync()

    def change_mode(self, mode: Mode) -> None:
        """Text and conversation each keep their own tree."""
        self.stepper.pause()
        self.state.mode = mode
        self.stepper.forget_answer()
        self.stepper.stale = None
        self._asked = None
        self.sync()

    def restart_engine(self) -> None:
        self._work(self._restart(), "restart")

    def sync(self) -> None:
        """Ask what has to be asked, and show how things are."""
        self._ask_what_is_missing()
        self._changed()

    def save(self) -> None:
        """Keep the state for the next time; a failure is said."""
        try:
            self._memory.keep(self.state)
        except StoreError as error:
            self.stepper.note = error

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
            self._work(self._ask(question), "ask")

    async def _ask(self, question: Question) -> None:
        try:
            answer = await self._link.answer(question)
        except RequestCancelled:
            return
        except TutorError as error:
            self.stepper.failed(error)
        else:
            self._asked = None  # The same question may have to be asked again.
            self.stepper.arrived(question, answer)
        self.sync()

    def _open(self, text: str) -> None:
        if not self._opening:
            self._opening = True
            self._work(self._open_in_engine(text, self.state.mode), "open")

    async def _open_in_engine(self, text: str, mode: Mode) -> None:
        try:
            if mode == "chat":
                tokens = await self._link.open_chat([ChatMessage("user", text)])
            else:
                tokens = await self._link.open_text(text)
            if mode == self.state.mode:
                self._begun(text, tokens)
        except RequestCancelled:
            return
        except TutorError as error:
            self.stepper.failed(error)
            self._changed()
            return
        finally:
            self._opening = False
        self.sync()

    def _begun(self, text: str, tokens: Sequence[Token]) -> None:
        self.stepper.prompt(tokens)
        if self.state.mode == "text":
            self.state.prompt = text
        else:
            self.stepper.toggle_run()

    def _send(self, text: str) -> None:
        self._work(self._send_in_engine(text), "open")

    async def _send_in_engine(self, text: str) -> None:
        tree = self.stepper.tree
        if tree is None:
            return
        try:
            tokens = await self._link.append_turn(tree.tokens, text)
            if tree is self.stepper.tree:
                self.stepper.turn(tokens)
                self.stepper.toggle_run()
        except RequestCancelled:
            return
        except TutorError as error:
            self.stepper.failed(error)
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

    async def xray(self, path: Sequence[Token], position: int) -> XRay:
        """Inside the forward pass of the token at `position` of `path`."""
        return await self._link.xray(path, position)
