"""The state of the explorer, from which everything on the screen is derived."""

from __future__ import annotations

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from tutor.app.explorer.chat.messages import last_message
from tutor.app.explorer.document import CHAT_SAMPLER, Document, Mode
from tutor.app.explorer.effects import Answer, Effect, EngineInfo, Question, Request, Start
from tutor.app.explorer.events import Command, Panel, SetSampler, TokensFound
from tutor.engine.api import EngineState
from tutor.errors import TutorError
from tutor.language import _
from tutor.learner.texts import TextInfo
from tutor.lm.distribution import PLAIN, Row, SamplerSettings, Token
from tutor.lm.token_tree import How, TokenTree

ROWS = 60
"""The number of rows to request at first, and again whenever the learner scrolls past the last."""


class Target(msgspec.Struct, frozen=True):
    """The token that Enter takes, and the reason for this choice."""

    row: Row
    how: How
    reason: str


class Shown(msgspec.Struct, frozen=True):
    """The rows on the screen, and what they are about.

    `position` is their position in the current text, or None if they belong to another text, from
    which the learner has just moved away. `current` is False while the model computes newer rows.
    """

    answer: Answer
    sampler: SamplerSettings
    position: int | None
    current: bool


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The complete state of the explorer between two events.

    `given` is the prompt that a lab sets (None outside labs and in conversations), and
    `first_message` is the message that starts a conversation automatically.

    `request` is the last request to the engine. It becomes None when the engine has responded, or
    when the request has to be sent again. After a failure it stays, so that a failed request is
    repeated only when the learner acts.
    """

    document: Document
    given: str | None = None
    first_message: str = ""
    engine: EngineInfo = EngineInfo()
    request: Request | None = None
    handed_in: str | None = None
    """A prompt or message that is being tokenized. Commands wait for its tokens."""
    replaces: bool = False
    """Whether the message that is being tokenized replaces the last one."""
    reading: tuple[int, int] | None = None
    """The number of tokens processed and the total, while the model processes a long text."""
    answer: Answer | None = None
    """The model's response at the position in focus."""
    request_failed: bool = False
    """Whether `request` failed or was stopped. The next command sends it again."""
    answered: Question | None = None
    """The question that was answered last."""
    stale: Answer | None = None
    """The last answer, which stays on screen until the next one arrives."""
    cursor: int | None = None
    """The index of the row that the learner moved to."""
    top: int = ROWS
    running: bool = False
    run_length: int = 0
    queue: tuple[Command, ...] = ()
    """Commands that are waiting for the model."""
    acted: bool = False
    """Whether the learner has done anything yet. Until then, no goal can be reached."""
    note: TutorError | str | None = None
    panel: Panel | None = None
    invited: bool = False
    """Whether the learner has been asked for the first message of this conversation."""
    advised: bool = False
    """Whether a new conversation has the settings that the model's card advises."""
    folded: bool = True
    """Whether the distribution of a conversation is folded away."""
    scroll: int | None = None
    """The first visible line of the conversation, or None if it follows the focus."""
    suggestion: int = 0
    """The index of the selected suggestion for a first message."""
    editing: bool = False
    """Whether the editor has the last message of the conversation instead of a new one."""
    query: str = ""
    found: TokensFound | None = None
    texts: tuple[TextInfo, ...] = ()
    open_id: str = ""
    undone: tuple[tuple[TokenTree, TokenTree], ...] = ()
    """What can be redone: for each undo, the tree before it and after it."""
    effects: tuple[Effect, ...] = ()
    """The effects of the current event so far. Empty between two events."""

    @property
    def tree(self) -> TokenTree | None:
        return self.document.tree

    @property
    def mode(self) -> Mode:
        return self.document.mode

    @property
    def sampler(self) -> SamplerSettings:
        if self.mode == "text":
            return self.document.sampler
        own = self.document.chat_sampler
        return self.chat_default if isinstance(own, UnsetType) else own

    @property
    def chat_default(self) -> SamplerSettings:
        """The settings of a new conversation. A server has its own defaults."""
        if not self.advised:
            return self.document.sampler
        return PLAIN if self.remote else CHAT_SAMPLER

    @property
    def table_hidden(self) -> bool:
        """True if the whole pane shows the conversation, without the distribution."""
        return self.mode == "chat" and self.folded

    @property
    def suggests(self) -> bool:
        """True if the conversation is empty, so that first messages are suggested."""
        possible = self.engine.model is None or self.engine.model.chat
        empty = self.tree is None and self.handed_in is None and not self.first_message
        return self.mode == "chat" and possible and empty

    @property
    def sampler_to_come(self) -> SamplerSettings:
        """The settings that will apply after all waiting commands are carried out."""
        waiting = [each.sampler for each in self.queue if isinstance(each, SetSampler)]
        return waiting[-1] if waiting else self.sampler

    @property
    def ready(self) -> bool:
        return self.engine.state is EngineState.READY

    @property
    def remote(self) -> bool:
        return self.engine.model is not None and self.engine.model.remote

    @property
    def chat_possible(self) -> bool:
        """True if the model can chat, or False while this is unknown."""
        return self.engine.model is not None and self.engine.model.chat

    @property
    def context(self) -> int:
        """The size of the model's context window in tokens, or 0 while this is unknown."""
        return self.engine.model.context if self.engine.model else 0

    @property
    def complete(self) -> bool:
        """True if the last token ended the model's text or message."""
        tree, model = self.tree, self.engine.model
        if tree is None or model is None or not tree.length:
            return False
        last = tree.steps[-1]
        return last.how != "prompt" and last.token.id in model.end_ids

    @property
    def ended(self) -> bool:
        """True if the text is complete, and the focus is at its end."""
        return self.complete and self.tree is not None and self.tree.at_end

    @property
    def over(self) -> bool:
        """True if the text is over, because a server returns no tokens after an end token."""
        return self.remote and self.ended

    @property
    def full(self) -> bool:
        """True if the text fills the context window."""
        return bool(self.context and self.tree and self.tree.length >= self.context)

    @property
    def path(self) -> tuple[Token, ...]:
        """The tokens of the current text, up to the end of the context window."""
        tokens = self.tree.tokens if self.tree else ()
        return tokens[: self.context] if self.context else tokens

    @property
    def beyond(self) -> bool:
        """True if the focus is beyond the context window, as it can be in a text of another engine.

        The tokens within the window can still be used.
        """
        return bool(self.context and self.tree and self.tree.focus > self.context)

    @property
    def unasked(self) -> bool:
        """True if the model cannot be asked about the position in focus.

        There is nothing to ask before the first token, after the end of a text, and beyond the
        context window.
        """
        return self.tree is None or self.tree.focus == 0 or self.over or self.beyond

    @property
    def shown(self) -> Shown | None:
        """The rows to show, which are those of the last answer until the next one arrives.

        Everything that the screen says about the rows must follow from this value. It then stays
        true while the text already has the next token, as it does during a run.
        """
        tree = self.tree
        if tree is None or tree.focus == 0 or self.beyond or self.reading is not None:
            return None
        if self.answer is not None:
            return Shown(self.answer, self.sampler, tree.focus, current=True)
        if self.stale is None or self.answered is None:
            return None
        position = self.answered.position
        path = self.answered.tokens[:position]
        here = path == tree.tokens[:position] and self.answered.seed == tree.current.seed
        return Shown(self.stale, self.answered.sampler, position if here else None, current=False)

    @property
    def question(self) -> Question | None:
        """The question to ask the model about the position in focus."""
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
        )

    @property
    def owed(self) -> Request | None:
        """The request that the engine must answer before the explorer can continue."""
        tree, text = self.tree, self.handed_in
        if self.mode == "chat":
            if text is None and tree is None and self.chat_possible:
                text = self.first_message or None
            if text is not None:
                return Start(text, chat=True, path=self._path_to_extend)
        elif text is not None or tree is None:
            text = self.document.prompt if text is None else text
            return Start(text) if text else None
        return self.question

    @property
    def _path_to_extend(self) -> tuple[Token, ...]:
        """The tokens before the message that is being tokenized."""
        if self.tree is None:
            return ()
        last = last_message(self.tree) if self.replaces else None
        return self.tree.tokens[: last.before] if last else self.tree.tokens

    @property
    def target(self) -> Target | None:
        """The token that Enter takes now.

        This is the token of the row that the learner moved to, if any. Otherwise it is the text's
        own token if the focus is at an earlier position, or the model's draw at the end.
        """
        tree = self.tree
        if self.answer is None or tree is None:
            return None
        distribution = self.answer.distribution
        if self.cursor is not None and self.cursor < len(distribution.rows):
            forks = not tree.at_end and distribution.rows[self.cursor] != self.answer.actual
            reason = _("your choice, on a new branch") if forks else _("your choice")
            return Target(distribution.rows[self.cursor], "taken", reason)
        if self.answer.actual is not None:
            return Target(self.answer.actual, "taken", _("keep it and move on"))
        reason = _("the model's draw, seed {seed}").format(seed=tree.current.seed)
        if distribution.drawn_elsewhere:
            reason = _("the server's draw")
        return Target(distribution.drawn, "drawn", reason)

    def with_tree(self, tree: TokenTree) -> State:
        return replace(self, document=self.document.with_tree(tree))

    def moved(self, tree: TokenTree) -> State:
        """Return the state with `tree`. If that changes the tree, the answer is removed."""
        return self if tree == self.tree else self.with_tree(tree).without_answer()

    def without_answer(self) -> State:
        """Return the state without its answer, after a change that affects the answer."""
        return replace(self, answer=None, cursor=None)

    def emit(self, *effects: Effect) -> State:
        """Return the state with `effects` added to those of the current event."""
        return replace(self, effects=(*self.effects, *effects))
