"""The state of the explorer, from which the whole screen is drawn."""

from __future__ import annotations

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from tutor.app.explorer.chat.messages import ends_with_answer, path_to_extend
from tutor.app.explorer.chat.rebuilding import conversations
from tutor.app.explorer.document import CHAT_SAMPLER, Document, Mode
from tutor.app.explorer.effects import (
    Answer,
    Effect,
    EngineInfo,
    Question,
    Rebuild,
    Request,
    Retokenize,
    Start,
)
from tutor.app.explorer.events import (
    Command,
    LeaveEditor,
    Panel,
    SetSampler,
    SetSteering,
    TokensFound,
)
from tutor.app.explorer.retokenizing import texts
from tutor.engine.api import EngineState
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import PLAIN, Row, SamplerSettings, Token
from tutor.lm.saved_steering import Applied, SavedVector
from tutor.lm.token_tree import How, TokenTree

ROWS = 60
"""The number of rows to request at first, and each time the learner scrolls past the last row."""


class Target(msgspec.Struct, frozen=True):
    """The token that comes next if the learner presses Enter, and a phrase that says why."""

    row: Row
    how: How
    reason: str


class Shown(msgspec.Struct, frozen=True):
    """The rows in the table, and what they describe.

    `position` is their position in the current text, or None if they belong to a text that the
    learner has just left. `current` is False while the model computes newer rows.
    """

    answer: Answer
    sampler: SamplerSettings
    position: int | None
    current: bool
    steering: Applied | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The complete state of the explorer between events.

    `given` is the prompt that a lab sets, or None in a conversation or when no lab is open.
    `first_message` is a message that is sent automatically when a conversation starts.

    `request` is the current request to the engine. It becomes None when the engine has responded,
    or when the request must be sent again. It stays set after a failure, so that a failed request
    is repeated only after the learner's next action.
    """

    document: Document
    given: str | None = None
    first_message: str = ""
    engine: EngineInfo = EngineInfo()
    request: Request | None = None
    handed_in: str | None = None
    """A prompt or message that is being tokenized, or None. Commands wait for its tokens."""
    replaces: bool = False
    """Whether the message in `handed_in` replaces the last message."""
    handed_from: str = ""
    """The earlier text of which `handed_in` is the learner's version, or "" for a new text."""
    reading: tuple[int, int] | None = None
    """The number of tokens processed and the total number, while a long text is being processed."""
    answer: Answer | None = None
    """The model's response at the token in focus, or None if it has not arrived yet."""
    request_failed: bool = False
    """Whether `request` failed or was stopped. The next command then sends it again."""
    refused: bool = False
    """Whether the model cannot use the text in `to_rebuild`, so that a new prompt parts it."""
    answered: Question | None = None
    """The latest question that the model has answered."""
    stale: Answer | None = None
    """The latest response, whose rows stay on the screen until the next response arrives."""
    cursor: int | None = None
    """The index of the row that the learner has selected, or None."""
    top: int = ROWS
    running: bool = False
    run_length: int = 0
    typing: bool = False
    """Whether a message started the run. If so, letters begin the next message during the run."""
    queue: tuple[Command, ...] = ()
    """Commands that are waiting for the model."""
    acted: bool = False
    """Whether the learner has done anything. Goals are checked only after that."""
    note: TutorError | str | None = None
    panel: Panel | None = None
    invited: bool = False
    """Whether the editor has already been opened for the first message of this conversation."""
    advised: bool = False
    """Whether new conversations use the sampler settings of the model card."""
    folded: bool = True
    """Whether the distribution of a conversation is hidden."""
    scroll: int | None = None
    """The first visible line of the conversation, or None if the view follows the focus."""
    suggestion: int = 0
    """The index of the highlighted suggestion for a first message."""
    editing: bool = False
    """Whether the learner is editing the last message instead of writing a new one."""
    writing: LeaveEditor | None = None
    """The text in the editor that a save includes, or None if the learner has not changed it."""
    query: str = ""
    found: TokensFound | None = None
    vectors: tuple[SavedVector, ...] = ()
    """The saved steering vectors of all models."""
    texts: tuple[TextInfo, ...] = ()
    open_id: str = ""
    undone: tuple[tuple[TokenTree, TokenTree], ...] = ()
    """The undone changes, as pairs of the trees before and after each undo (see `can_redo`)."""
    effects: tuple[Effect, ...] = ()
    """The effects that the current event has caused so far. Between two events, there are none."""

    @property
    def tree(self) -> TokenTree | None:
        return self.document.tree

    @property
    def to_rebuild(self) -> TokenTree | None:
        """The text or conversation to build again before anything in the queue, or None."""
        return self.document.to_rebuild

    @property
    def mode(self) -> Mode:
        return self.document.mode

    @property
    def sampler(self) -> SamplerSettings:
        own = self.document.chat_sampler if self.mode == "chat" else self.document.sampler
        return self.chat_default if isinstance(own, UnsetType) else own

    @property
    def chat_default(self) -> SamplerSettings:
        """The sampler settings of a new conversation, unless the learner changes them."""
        if not self.advised:
            return self.document.sampler
        return PLAIN if self.remote else CHAT_SAMPLER

    @property
    def table_hidden(self) -> bool:
        """True if a conversation fills the pane and its distribution is hidden."""
        return self.mode == "chat" and self.folded

    @property
    def suggests(self) -> bool:
        """True if the chat is empty and can suggest first messages."""
        possible = self.chat_possible or self.engine.model is None
        written = self.tree or self.to_rebuild or self.first_message or self.handed_in is not None
        return self.mode == "chat" and possible and not written

    @property
    def sampler_to_come(self) -> SamplerSettings:
        """The sampler settings that will apply when all waiting commands have been carried out."""
        waiting = [each.sampler for each in self.queue if isinstance(each, SetSampler)]
        return waiting[-1] if waiting else self.sampler

    @property
    def steering(self) -> Applied | None:
        """The vector that steers the network, or None."""
        applied = self.document.steering
        return None if isinstance(applied, UnsetType) else applied

    @property
    def steering_to_come(self) -> Applied | None:
        """The steering that will apply when all waiting commands have been carried out."""
        waiting = [each.applied for each in self.queue if isinstance(each, SetSteering)]
        return waiting[-1] if waiting else self.steering

    @property
    def fitting_vectors(self) -> tuple[SavedVector, ...]:
        """The saved steering vectors that were made with the loaded model."""
        model = self.engine.model.sha256 if self.engine.model else None
        return tuple(vector for vector in self.vectors if vector.model == model)

    @property
    def ready(self) -> bool:
        return self.engine.state is EngineState.READY

    @property
    def remote(self) -> bool:
        return self.engine.model is not None and self.engine.model.remote

    @property
    def chat_possible(self) -> bool:
        """True if the model can chat. False if it cannot, or if no model is loaded yet."""
        return self.engine.model is not None and self.engine.model.chat

    @property
    def context(self) -> int:
        """The size of the context window in tokens, or 0 if no model is loaded yet."""
        return self.engine.model.context if self.engine.model else 0

    @property
    def complete(self) -> bool:
        """True if the model has ended its text or message with an end token."""
        tree, model = self.tree, self.engine.model
        if tree is None or model is None or not tree.length:
            return False
        last = tree.steps[-1]
        if last.token.id not in model.end_ids:
            return False
        # A conversation that was built again can end with an answer of another model.
        return last.how != "prompt" or (self.mode == "chat" and ends_with_answer(tree.steps))

    @property
    def ended(self) -> bool:
        """True if the text is complete and the focus is at its end."""
        return self.complete and self.tree is not None and self.tree.at_end

    @property
    def unfinished(self) -> bool:
        """True if the model has stopped before an end token. False while this is unknown."""
        known = self.tree is not None and self.engine.model is not None
        return known and not (self.complete or self.running)

    @property
    def over(self) -> bool:
        """True if the text cannot continue: servers return no tokens after an end token."""
        return self.remote and self.ended

    @property
    def full(self) -> bool:
        """True if the text fills the context window."""
        return bool(self.context and self.tree and self.tree.length >= self.context)

    @property
    def path(self) -> tuple[Token, ...]:
        """The tokens of the current text that fit into the context window."""
        tokens = self.tree.tokens if self.tree else ()
        return tokens[: self.context] if self.context else tokens

    @property
    def beyond(self) -> bool:
        """True if the focus is after the end of the context window.

        This happens if the text was written with an engine whose context window is larger. The
        tokens within the window can still be used.
        """
        return bool(self.context and self.tree and self.tree.focus > self.context)

    @property
    def unasked(self) -> bool:
        """True before the first token, after the end of a server's text, or `beyond` the window."""
        return self.tree is None or self.tree.focus == 0 or self.over or self.beyond

    @property
    def shown(self) -> Shown | None:
        """The rows to show in the table. Until new rows arrive, these are the previous rows.

        During a run, the text already contains the next token while the rows still describe the
        previous one. Everything that the screen says about the rows must therefore be derived from
        this value.
        """
        tree = self.tree
        if tree is None or tree.focus == 0 or self.beyond or self.reading is not None:
            return None
        if self.answer is not None:
            return Shown(
                self.answer, self.sampler, tree.focus, current=True, steering=self.steering
            )
        if self.stale is None or self.answered is None:
            return None
        asked, position = self.answered, self.answered.position
        path = asked.tokens[:position]
        here = path == tree.tokens[:position] and asked.seed == tree.current.seed
        place = position if here else None
        return Shown(self.stale, asked.sampler, place, current=False, steering=asked.steering)

    @property
    def question(self) -> Question | None:
        """The request for the distribution at the focus, or None if there is nothing to request."""
        tree = self.tree
        if self.answer is not None or tree is None or self.unasked:
            return None
        tokens, unknown = self.path, tree.first_unknown()
        return Question(
            tokens=tokens,
            position=tree.focus,
            sampler=self.sampler,
            seed=tree.current.seed,
            top=self.top,
            actual=None if tree.at_end else tree.steps[tree.focus].token.id,
            surprisals_from=unknown if unknown is not None and unknown < len(tokens) else None,
            steering=self.steering,
        )

    @property
    def owed(self) -> Request | None:
        """The request that the engine must answer before the explorer can continue, or None."""
        tree, text = self.tree, self.handed_in
        if self.mode == "text" and (other := self.to_rebuild) is not None:
            return Retokenize(texts(other))
        if self.mode == "chat":
            if (other := self.to_rebuild) is not None:
                return Rebuild(conversations(other)) if self.chat_possible else None
            if text is None and tree is None and self.chat_possible:
                text = self.first_message or None
            if text is not None:
                return Start(text, chat=True, path=path_to_extend(tree, replaces=self.replaces))
        elif text is not None or tree is None:
            text = self.document.prompt if text is None else text
            return Start(text) if text else None
        return self.question

    @property
    def target(self) -> Target | None:
        """The token that comes next if the learner presses Enter, or None if it isn't known yet.

        This is the token in the row that the learner has selected. Otherwise, it is the token that
        already follows in the text or, at the end, the token that was sampled from the model.
        """
        tree = self.tree
        if self.answer is None or tree is None:
            return None
        distribution, rows = self.answer.distribution, self.answer.distribution.rows
        offered = self.answer.offered
        row = rows[self.cursor] if self.cursor is not None and self.cursor < len(rows) else offered
        if row.token.id != offered.token.id:
            reason = _("your choice") if tree.at_end else _("your choice, on a new branch")
            return Target(row, "taken", reason)
        if self.answer.actual is not None:
            return Target(self.answer.actual, "taken", _("keep it and move on"))
        reason = _("the model's draw, seed {seed}").format(seed=tree.current.seed)
        if distribution.drawn_elsewhere:
            reason = _("the server's draw")
        return Target(distribution.drawn, "drawn", reason)

    def with_tree(self, tree: TokenTree) -> State:
        return replace(self, document=self.document.with_tree(tree))

    def moved(self, tree: TokenTree) -> State:
        """Return the state with `tree`. If it has changed, the model's response is removed."""
        return self if tree == self.tree else self.with_tree(tree).without_answer()

    def without_answer(self) -> State:
        """Return the state without the model's response, which a change has made invalid."""
        return replace(self, answer=None, cursor=None)

    def emit(self, *effects: Effect) -> State:
        """Return the state with these effects added to the effects of the current event."""
        return replace(self, effects=(*self.effects, *effects))
