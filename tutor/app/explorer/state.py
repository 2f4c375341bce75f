"""What the pane remembers from one visit to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tutor.errors import TutorError
from tutor.lm import token_tree
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.token_tree import SavedTree, Step, TokenTree

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
    """The state as it is stored. `model` is the checksum of the model that the tokens belong to:
    the ids mean nothing to another one. `prompt` is the text to begin with where there is no tree
    yet."""

    version: int = VERSION
    model: str = ""
    mode: Mode = "text"
    marks: bool = False
    sampler: SamplerSettings = PLAIN
    prompt: str = FIRST_PROMPT
    text: SavedTree | None = None
    chat: SavedTree | None = None
    drafts: dict[Mode, str] = {}


class State:
    """The state in use: one tree for the text, one for the conversation."""

    def __init__(self, prompt: str = FIRST_PROMPT, mode: Mode = "text") -> None:
        self.model = ""
        self.mode: Mode = mode
        self.marks = False
        self.sampler = PLAIN
        self.prompt = prompt
        self.trees: dict[Mode, TokenTree | None] = {"text": None, "chat": None}
        self.drafts: dict[Mode, str] = {}
        """What was written and is not in use (yet)."""

    @property
    def tree(self) -> TokenTree | None:
        return self.trees[self.mode]

    @property
    def title(self) -> str:
        """How the text in use ends, without special tokens."""
        tree = self.tree
        if tree is None:
            return self.prompt[-LONGEST_TITLE:] if self.mode == "text" else ""
        last = [step.token for step in tree.steps[-LONGEST_TITLE:]]
        data = b"".join(token.data for token in last if not token.special)
        return data.decode("utf-8", "replace")[-LONGEST_TITLE:]

    @property
    def length(self) -> int:
        """How many tokens the text in use has."""
        return self.tree.length if self.tree else 0

    def to_bytes(self) -> bytes:
        """The state as it is stored."""
        text, chat = self.trees["text"], self.trees["chat"]
        saved = Saved(
            model=self.model,
            mode=self.mode,
            marks=self.marks,
            sampler=self.sampler,
            prompt=self.prompt,
            text=token_tree.save(text) if text else None,
            chat=token_tree.save(chat) if chat else None,
            drafts=self.drafts,
        )
        return msgspec.json.encode(saved)

    @classmethod
    def from_bytes(cls, stored: bytes) -> State | None:
        """The state that was stored; None where this version cannot read it."""
        try:
            saved = msgspec.json.decode(stored, type=Saved)
            if saved.version != VERSION:
                return None
            state = cls(saved.prompt, saved.mode)
            state.trees = {
                "text": token_tree.restore(saved.text) if saved.text else None,
                "chat": token_tree.restore(saved.chat) if saved.chat else None,
            }
        except (ValueError, TutorError):
            return None
        state.model = saved.model
        state.marks = saved.marks
        state.sampler = saved.sampler
        state.drafts = dict(saved.drafts)
        return state

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
    ) -> State:
        """A conversation in the tokens of `model`, with what was `written` after its prompt;
        looked at is token `at` of that, from 0. Raises `TreeFull`."""
        tree = TokenTree(prompt, seed)
        for step in written:
            tree.choose(step.token, step.how, step.surprisal_bits)
        tree.focus = min(len(prompt) + at, tree.length)
        state = cls(mode="chat")
        state.model, state.sampler = model, sampler
        state.trees["chat"] = tree
        return state

    def belong_to(self, model: str) -> bool:
        """Say which model is in use. The tokens of another one are given up: the text of the
        current branch is kept and split again, the conversation starts anew. True when there was
        something to give up."""
        if self.model == model:
            return False
        other = bool(self.model) and any(self.trees.values())
        self.model = model
        if other:
            if text := self.trees["text"]:
                data = b"".join(token.data for token in text.tokens)
                self.prompt = data.decode("utf-8", "replace")
            self.trees = {"text": None, "chat": None}
        return other
