"""One text of the learner, with everything that is saved between two visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import TutorError
from tutor.lm import token_tree
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.token_tree import SavedTree, Step, TokenTree, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.distribution import Token

VERSION = 1
LONGEST_TITLE = 200
"""Characters from the end of a text that tell it from others in a list."""
FIRST_SEED = 2
FIRST_PROMPT = "The capital of France is"

Mode = Literal["text", "chat"]


class Saved(msgspec.Struct, frozen=True):
    """A document as it is stored. `model` is the checksum of the model that the tokens belong to:
    the ids mean nothing to another model. `prompt` is the text to start from while there is no
    tree."""

    version: int = VERSION
    model: str = ""
    mode: Mode = "text"
    marks: bool = False
    sampler: SamplerSettings = PLAIN
    prompt: str = FIRST_PROMPT
    text: SavedTree | None = None
    chat: SavedTree | None = None
    drafts: dict[Mode, str] = {}


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A text and a conversation, each with a tree of its own, and how tokens are drawn in both.
    `drafts` holds what was written but is not in use (yet). The other fields are those of
    `Saved`."""

    model: str = ""
    mode: Mode = "text"
    marks: bool = False
    sampler: SamplerSettings = PLAIN
    prompt: str = FIRST_PROMPT
    text: TokenTree | None = None
    chat: TokenTree | None = None
    drafts: dict[Mode, str] = {}

    @property
    def tree(self) -> TokenTree | None:
        return self.text if self.mode == "text" else self.chat

    @property
    def title(self) -> str:
        """How the text in use ends, without special tokens."""
        if self.tree is None:
            return self.prompt[-LONGEST_TITLE:] if self.mode == "text" else ""
        return text_of(self.tree.steps[-LONGEST_TITLE:])[-LONGEST_TITLE:]

    @property
    def length(self) -> int:
        """How many tokens the text in use has."""
        return self.tree.length if self.tree else 0

    def with_tree(self, tree: TokenTree) -> Document:
        """Return the document with this tree in the mode that is in use."""
        return replace(self, **{self.mode: tree})

    def with_draft(self, text: str | None) -> Document:
        """Return the document with this draft in the mode that is in use, or without one if
        None."""
        drafts = {mode: draft for mode, draft in self.drafts.items() if mode != self.mode}
        return replace(self, drafts=drafts if text is None else {**drafts, self.mode: text})

    def for_model(self, model: str) -> Document:
        """Return the document for the model that is in use. The tokens of another model are
        dropped: the text of the current branch is kept to be tokenized again, and the conversation
        restarts."""
        if self.model and self.model != model and (self.text or self.chat):
            prompt = self.prompt
            if self.text:
                data = b"".join(token.data for token in self.text.tokens)
                prompt = data.decode("utf-8", "replace")
            return replace(self, model=model, prompt=prompt, text=None, chat=None)
        return replace(self, model=model)

    def to_bytes(self) -> bytes:
        """Return the document as it is stored."""
        saved = Saved(
            model=self.model,
            mode=self.mode,
            marks=self.marks,
            sampler=self.sampler,
            prompt=self.prompt,
            text=token_tree.save(self.text) if self.text else None,
            chat=token_tree.save(self.chat) if self.chat else None,
            drafts=self.drafts,
        )
        return msgspec.json.encode(saved)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Document | None:
        """Return the stored document, or None if this version cannot read it."""
        try:
            saved = msgspec.json.decode(stored, type=Saved)
            if saved.version != VERSION:
                return None
            return cls(
                model=saved.model,
                mode=saved.mode,
                marks=saved.marks,
                sampler=saved.sampler,
                prompt=saved.prompt,
                text=token_tree.restore(saved.text) if saved.text else None,
                chat=token_tree.restore(saved.chat) if saved.chat else None,
                drafts=saved.drafts,
            )
        except (ValueError, TutorError):
            return None

    @classmethod
    def of_conversation(
        cls,
        model: str,
        prompt: Sequence[Token],
        written: Sequence[Step],
        sampler: SamplerSettings,
        *,
        seed: int,
        at: int,
    ) -> Document:
        """Return a conversation in the tokens of `model`: its prompt, then `written`, with token
        `at` of `written` (from 0) in focus. Raises `TreeFull`."""
        tree = TokenTree.from_prompt(prompt, seed).extend(written)
        tree = replace(tree, focus=min(len(prompt) + at, tree.length))
        return cls(model=model, mode="chat", sampler=sampler, chat=tree)
