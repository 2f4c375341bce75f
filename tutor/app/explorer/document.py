"""A learner's text, with everything about it that is saved between visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tutor.app.explorer.chat.messages import messages
from tutor.errors import TutorError
from tutor.lm import token_tree
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.token_tree import SavedTree, Step, TokenTree, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.distribution import Token

VERSION = 1
LONGEST_TITLE = 200
"""The maximum number of characters in a title, which is the end of the text."""
MOST_ENTERED = 20
"""The maximum number of entered texts to keep in each mode."""
LONGEST_ENTERED = 2000
"""The maximum number of characters in a text to keep."""
FIRST_SEED = 2
FIRST_PROMPT = "The capital of France is"
CHAT_SAMPLER = SamplerSettings(temperature=0.2, top_p=0.9)
"""The settings that the model card of SmolLM2-135M-Instruct uses for chats."""

Mode = Literal["text", "chat"]


Tree = TypeVar("Tree")


class _Fields(msgspec.Struct, Generic[Tree], frozen=True):
    """The fields that a document has in memory and on disk.

    `model` is the checksum of the model that the tokens belong to, because token ids are
    meaningless to any other model. `prompt` is the text to start from while there is no tree.
    `drafts` are texts that the learner has typed in the editor but not accepted yet, and `entered`
    those that the model has accepted, oldest first. `chat_sampler` has the settings of the
    conversation, unless they were never set.
    """

    version: int = VERSION
    model: str = ""
    mode: Mode = "text"
    marks: bool = False
    sampler: SamplerSettings = PLAIN
    prompt: str = FIRST_PROMPT
    text: Tree | None = None
    chat: Tree | None = None
    drafts: dict[Mode, str] = {}
    entered: dict[Mode, tuple[str, ...]] | UnsetType = UNSET
    chat_sampler: SamplerSettings | UnsetType = UNSET

    @property
    def trees(self) -> dict[Mode, Tree]:
        """The existing trees, by mode."""
        both: dict[Mode, Tree | None] = {"text": self.text, "chat": self.chat}
        return {mode: tree for mode, tree in both.items() if tree is not None}


class Saved(_Fields[SavedTree], frozen=True):
    """A document in the form in which it is stored."""


class Document(_Fields[TokenTree], frozen=True, kw_only=True):
    """A text and a conversation, each with its own tree, and their sampler settings."""

    @property
    def tree(self) -> TokenTree | None:
        return self.text if self.mode == "text" else self.chat

    @property
    def title(self) -> str:
        """The end of the current text, or the first message of a conversation."""
        if self.tree is None:
            return self.prompt[-LONGEST_TITLE:] if self.mode == "text" else ""
        if self.mode == "chat":
            steps = self.tree.steps
            first = next((each for each in messages(steps) if each.role == "user"), None)
            return text_of(steps[first.first : first.end])[:LONGEST_TITLE] if first else ""
        return text_of(self.tree.steps[-LONGEST_TITLE:])[-LONGEST_TITLE:]

    @property
    def length(self) -> int:
        """The number of tokens in the current text."""
        return self.tree.length if self.tree else 0

    @property
    def earlier(self) -> tuple[str, ...]:
        """The texts entered in the current mode, oldest first."""
        return () if self.entered is UNSET else self.entered.get(self.mode, ())

    def with_tree(self, tree: TokenTree) -> Document:
        """Return the document with `tree` as the tree of the current mode."""
        return replace(self, **{self.mode: tree})

    def with_sampler(self, sampler: SamplerSettings) -> Document:
        """Return the document with `sampler` as the settings of the current mode."""
        return replace(self, **{"sampler" if self.mode == "text" else "chat_sampler": sampler})

    def with_draft(self, text: str | None) -> Document:
        """Return the document with `text` as the draft of the current mode.

        None removes the draft.
        """
        drafts = {mode: draft for mode, draft in self.drafts.items() if mode != self.mode}
        return replace(self, drafts=drafts if text is None else {**drafts, self.mode: text})

    def with_entered(self, text: str) -> Document:
        """Return the document with `text` as the last text entered in the current mode."""
        if len(text) > LONGEST_ENTERED:
            return self
        texts = (*(each for each in self.earlier if each != text), text)[-MOST_ENTERED:]
        before = {} if self.entered is UNSET else self.entered
        return replace(self, entered={**before, self.mode: texts})

    def for_model(self, model: str) -> Document:
        """Return the document adapted to `model`, the checksum of the current model.

        Tokens of another model are dropped. The text of the current branch is kept so that it can
        be tokenized again, and the conversation restarts.
        """
        if self.model and self.model != model and (self.text or self.chat):
            prompt = self.prompt
            if self.text:
                data = b"".join(token.data for token in self.text.tokens)
                prompt = data.decode("utf-8", "replace")
            return replace(self, model=model, prompt=prompt, text=None, chat=None)
        return replace(self, model=model)

    def to_bytes(self) -> bytes:
        """Return the document as bytes to store."""
        fields: dict[str, Any] = msgspec.structs.asdict(self)
        fields |= {mode: token_tree.save(tree) for mode, tree in self.trees.items()}
        return msgspec.json.encode(Saved(**fields))

    @classmethod
    def from_bytes(cls, stored: bytes) -> Document | None:
        """Return the stored document, or None if this version of tutor cannot read it."""
        try:
            saved = msgspec.json.decode(stored, type=Saved)
            if saved.version != VERSION:
                return None
            fields: dict[str, Any] = msgspec.structs.asdict(saved)
            fields |= {mode: token_tree.restore(tree) for mode, tree in saved.trees.items()}
            return cls(**fields)
        except (ValueError, TutorError):
            return None

    @classmethod
    def of_conversation(
        cls,
        prompt: Sequence[Token],
        written: Sequence[Step],
        sampler: SamplerSettings,
        *,
        seed: int,
        at: int,
    ) -> Document:
        """Return a conversation that consists of `prompt`, then `written`.

        The focus is on token `at` of `written`, counted from 0. Raises `TreeFull`.
        """
        tree = TokenTree.from_prompt(prompt, seed).extend(written)
        tree = replace(tree, focus=min(len(prompt) + at, tree.length))
        return cls(mode="chat", sampler=sampler, chat_sampler=sampler, chat=tree)
