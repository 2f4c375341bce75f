"""What the pane remembers from one visit to the next."""

from __future__ import annotations

import base64
import zlib
from typing import Literal

import msgspec

from tutor.errors import TutorError
from tutor.lm import token_tree
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.token_tree import SavedTree, TokenTree

VERSION = 1
READABLE = 4_000
"""Longest state, in characters, that is stored as it is; longer ones are compressed."""
_COMPRESSED = "zlib:"
_MOST_BYTES = 4_000_000
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


class State:
    """The state in use: one tree for the text, one for the conversation."""

    def __init__(self, prompt: str = FIRST_PROMPT, mode: Mode = "text") -> None:
        self.model = ""
        self.mode: Mode = mode
        self.marks = False
        self.sampler = PLAIN
        self.prompt = prompt
        self.trees: dict[Mode, TokenTree | None] = {"text": None, "chat": None}

    @property
    def tree(self) -> TokenTree | None:
        return self.trees[self.mode]

    def to_setting(self) -> str:
        """The state as text for the progress store."""
        text, chat = self.trees["text"], self.trees["chat"]
        saved = Saved(
            model=self.model,
            mode=self.mode,
            marks=self.marks,
            sampler=self.sampler,
            prompt=self.prompt,
            text=token_tree.save(text) if text else None,
            chat=token_tree.save(chat) if chat else None,
        )
        return _pack(msgspec.json.encode(saved))

    @classmethod
    def from_setting(cls, setting: object) -> State | None:
        """The state that was stored; None where there is none that this version can read."""
        try:
            saved = msgspec.json.decode(_unpack(setting), type=Saved)
            if saved.version != VERSION:
                return None
            state = cls(saved.prompt, saved.mode)
            state.trees = {
                "text": token_tree.restore(saved.text) if saved.text else None,
                "chat": token_tree.restore(saved.chat) if saved.chat else None,
            }
        except (ValueError, zlib.error, TutorError):
            return None
        state.model = saved.model
        state.marks = saved.marks
        state.sampler = saved.sampler
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


def _pack(data: bytes) -> str:
    if len(data) <= READABLE:
        return data.decode()
    return _COMPRESSED + base64.b64encode(zlib.compress(data, 9)).decode()


def _unpack(setting: object) -> bytes:
    """Raises `ValueError` or `zlib.error` for what `_pack` did not write."""
    if not isinstance(setting, str):
        raise ValueError("not text")
    if not setting.startswith(_COMPRESSED):
        return setting.encode()
    packed = base64.b64decode(setting.removeprefix(_COMPRESSED), validate=True)
    return zlib.decompressobj().decompress(packed, _MOST_BYTES)
