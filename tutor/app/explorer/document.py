"""A document, which stores a learner's text and conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from tutor.app.explorer.chat.messages import messages, with_own_answers
from tutor.errors import TutorError
from tutor.lm import token_tree
from tutor.lm.distribution import PLAIN, SamplerSettings
from tutor.lm.saved_steering import Applied
from tutor.lm.token_tree import SavedTree, Step, TokenTree, given_steps, text_of, without_surprisals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tutor.lm.distribution import Token

VERSION = 1
LONGEST_TITLE = 200
"""The maximum number of characters in the title of a saved text."""
MOST_ENTERED = 20
"""The maximum number of texts to remember in each mode."""
LONGEST_ENTERED = 2000
"""The maximum number of characters in an entered text. Longer texts are not remembered."""
FIRST_SEED = 2
FIRST_PROMPT = "The capital of France is"
CHAT_SAMPLER = SamplerSettings(temperature=0.2, top_p=0.9)
"""The sampler settings that the model card of SmolLM2-135M-Instruct uses for chats."""

Mode = Literal["text", "chat"]


Tree = TypeVar("Tree")
Steering = TypeVar("Steering")


class OtherTree(msgspec.Struct, Generic[Tree], frozen=True):
    """A text or conversation whose tokens belong to another model, and that model's checksum."""

    model: str
    tree: Tree


class _Fields(msgspec.Struct, Generic[Tree, Steering], frozen=True):
    """The fields that a document has both in memory and on disk.

    `model` is the checksum of the model whose tokens the trees contain; token ids have no meaning
    for other models. `prompt` is the text to start from if there is no tree yet. `drafts` are texts
    in the editor that the learner has not submitted. If a draft is the learner's version of an
    earlier text, `draft_of` contains the earlier text. `changed` are the versions of other earlier
    texts, by earlier text, and "" is the new text beside a draft that is such a version.
    `entered` are texts that the model has accepted, oldest first. `chat_sampler` contains the
    settings of the conversation, if they were ever set. `steering` is the vector that steers the
    network, if there is one. `other_chat` is a conversation that has to be built again for `model`.
    Until then, there is no `chat`. In the same way, `other_text` is a text whose branches have to
    be tokenized again.
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
    draft_of: dict[Mode, str] | UnsetType = UNSET
    changed: dict[Mode, dict[str, str]] | UnsetType = UNSET
    entered: dict[Mode, tuple[str, ...]] | UnsetType = UNSET
    chat_sampler: SamplerSettings | UnsetType = UNSET
    steering: Steering | UnsetType = UNSET
    other_chat: OtherTree[Tree] | UnsetType = UNSET
    other_text: OtherTree[Tree] | UnsetType = UNSET

    @property
    def trees(self) -> dict[Mode, Tree]:
        """The token trees that exist, by mode."""
        both: dict[Mode, Tree | None] = {"text": self.text, "chat": self.chat}
        return {mode: tree for mode, tree in both.items() if tree is not None}

    @property
    def others(self) -> dict[Mode, OtherTree[Tree]]:
        """The trees whose tokens belong to another model, by mode."""
        both: dict[Mode, OtherTree[Tree] | UnsetType] = {
            "text": self.other_text,
            "chat": self.other_chat,
        }
        return {mode: other for mode, other in both.items() if not isinstance(other, UnsetType)}


class Saved(_Fields[SavedTree, msgspec.Raw], frozen=True):
    """The form of a document that is stored on disk."""


class Document(_Fields[TokenTree, Applied], frozen=True, kw_only=True):
    """A text and a conversation. Each has its own token tree and sampler settings."""

    @property
    def tree(self) -> TokenTree | None:
        return self.text if self.mode == "text" else self.chat

    @property
    def to_rebuild(self) -> TokenTree | None:
        """The text or conversation of this mode that has to be built again for the model."""
        other = self.others.get(self.mode)
        return None if other is None else other.tree

    @property
    def title(self) -> str:
        """The title: the end of the text, or the first message of the conversation."""
        tree = self.tree or self.to_rebuild
        if tree is None:
            return self.prompt[-LONGEST_TITLE:] if self.mode == "text" else ""
        if self.mode == "chat":
            steps = tree.steps
            first = next((each for each in messages(steps) if each.role == "user"), None)
            return text_of(steps[first.first : first.end])[:LONGEST_TITLE] if first else ""
        return text_of(tree.steps[-LONGEST_TITLE:])[-LONGEST_TITLE:]

    @property
    def title_beside(self) -> str:
        """The title of the text beside the conversation, or vice versa, or "" if there is none."""
        beside = replace(self, mode="chat" if self.mode == "text" else "text")
        tree = beside.tree or beside.to_rebuild
        return beside.title if tree is not None and beside.title != FIRST_PROMPT else ""

    @property
    def length(self) -> int:
        """The number of tokens in the current mode's text or conversation."""
        tree = self.tree or self.to_rebuild
        return tree.length if tree else 0

    @property
    def earlier(self) -> tuple[str, ...]:
        """The texts that the learner entered in the current mode, oldest first."""
        return () if self.entered is UNSET else self.entered.get(self.mode, ())

    def with_tree(self, tree: TokenTree) -> Document:
        """Return a copy with this tree for the current mode."""
        return replace(self, **{self.mode: tree})

    def with_sampler(self, sampler: SamplerSettings) -> Document:
        """Return a copy with these sampler settings for the current mode."""
        return replace(self, **{"sampler" if self.mode == "text" else "chat_sampler": sampler})

    def with_steering(self, applied: Applied | None) -> Document:
        """Return a copy with this steering. All surprisals, which are now invalid, are removed."""
        trees = {mode: without_surprisals(tree) for mode, tree in self.trees.items()}
        return replace(self, steering=UNSET if applied is None else applied, **trees)

    @property
    def changes(self) -> dict[str, str]:
        """The texts that the learner has changed in the current mode (see `changed`)."""
        return {} if self.changed is UNSET else self.changed.get(self.mode, {})

    @property
    def place(self) -> str:
        """The earlier text of which the draft is a version, or "" if it is a new text."""
        return "" if self.draft_of is UNSET else self.draft_of.get(self.mode, "")

    def with_draft(self, text: str | None, place: str = "") -> Document:
        """Return a copy with this draft for the current mode. None removes the draft.

        `place` is the earlier text of which the draft is a version, or "" for a new text.
        """
        drafts = {mode: draft for mode, draft in self.drafts.items() if mode != self.mode}
        before = {} if self.draft_of is UNSET else self.draft_of
        places = {mode: earlier for mode, earlier in before.items() if mode != self.mode}
        if text is not None:
            drafts[self.mode] = text
            places |= {self.mode: place} if place else {}
        return replace(self, drafts=drafts, draft_of=places or UNSET)

    def with_changes(self, changes: Mapping[str, str]) -> Document:
        """Return a copy with these changed texts for the current mode, at most `MOST_ENTERED`."""
        given = ("", self.prompt if self.mode == "text" else "")
        kept = [(each, text) for each, text in changes.items() if each or text not in given]
        before = {} if self.changed is UNSET else self.changed
        others = {mode: texts for mode, texts in before.items() if mode != self.mode}
        changed = {**others, self.mode: dict(kept[-MOST_ENTERED:])} if kept else others
        return replace(self, changed=changed or UNSET)

    def with_entered(self, text: str) -> Document:
        """Return a copy in which `text` is the latest text entered in the current mode."""
        if len(text) > LONGEST_ENTERED:
            return self
        texts = (*(each for each in self.earlier if each != text), text)[-MOST_ENTERED:]
        before = {} if self.entered is UNSET else self.entered
        return replace(self, entered={**before, self.mode: texts})

    def begun_again(self, mode: Mode, prompt: str, sampler: SamplerSettings) -> Document:
        """Return a copy with a new text or a new conversation, in which the other one stays."""
        begun = replace(self, mode=mode).with_draft(None).with_changes({})
        if mode == "chat":
            return replace(begun, chat=None, other_chat=UNSET, chat_sampler=UNSET)
        return replace(begun, text=None, other_text=UNSET, prompt=prompt, sampler=sampler)

    def for_model(self, model: str) -> Document:
        """Return a copy for the model with this checksum.

        If the document was made with another model, its tokens cannot be used. The text and the
        conversation are kept as `other_text` and `other_chat`, until they have been tokenized
        again. Until then, the whole current text is the prompt.
        """
        if self.model != model and self.steering is not UNSET:
            return self.with_steering(None).for_model(model)
        document = replace(self, model=model)
        if not self.model or self.model == model:
            return document
        for mode, tree in self.trees.items():
            other = OtherTree(self.model, tree)
            document = replace(document, **{mode: None, f"other_{mode}": other})
            if mode == "text":
                document = replace(document, prompt=text_of(tree.steps))
        for mode, other in self.others.items():
            if mode not in self.trees and other.model == model:
                document = document._with_own(mode, other.tree)
        return document

    def with_rebuilt(self, tree: TokenTree) -> Document:
        """Return a copy in which `tree` replaces the tree of the mode that another model made.

        Its seeds, versions and settings are kept.
        """
        return self._with_own(self.mode, tree)

    def _with_own(self, mode: Mode, tree: TokenTree) -> Document:
        document = replace(self, **{mode: tree, f"other_{mode}": UNSET})
        if mode == "chat":
            return document
        return replace(document, prompt=text_of(tree.steps[: tree.current.prompt_length]))

    def to_bytes(self) -> bytes:
        """Encode the document for storage."""
        fields: dict[str, Any] = msgspec.structs.asdict(self)
        fields |= {mode: token_tree.save(tree) for mode, tree in self.trees.items()}
        for mode, other in self.others.items():
            fields[f"other_{mode}"] = OtherTree(other.model, token_tree.save(other.tree))
        if isinstance(self.steering, Applied):
            fields["steering"] = msgspec.Raw(msgspec.json.encode(self.steering))
        return msgspec.json.encode(Saved(**fields))

    @classmethod
    def from_bytes(cls, stored: bytes) -> Document | None:
        """Decode a stored document. Return None if this version of tutor cannot read it.

        Invalid steering is removed, and the rest of the document is kept.
        """
        try:
            saved = msgspec.json.decode(stored, type=Saved)
            if saved.version != VERSION:
                return None
            fields: dict[str, Any] = msgspec.structs.asdict(saved)
            fields |= {mode: token_tree.restore(tree) for mode, tree in saved.trees.items()}
            for mode, other in saved.others.items():
                tree = token_tree.restore(other.tree)
                fields[f"other_{mode}"] = OtherTree(other.model, tree)
            document = cls(**(fields | {"steering": UNSET}))
        except (ValueError, TutorError):
            return None
        if not isinstance(saved.steering, msgspec.Raw):
            return document
        try:
            return replace(document, steering=msgspec.json.decode(saved.steering, type=Applied))
        except ValueError:
            return document.with_steering(None)

    @classmethod
    def of_conversation(
        cls,
        prompt: Sequence[Token],
        written: Sequence[Step],
        sampler: SamplerSettings,
        *,
        seed: int,
        at: int,
        own: Sequence[Sequence[Token]] = (),
    ) -> Document:
        """Return a document with a conversation that consists of `prompt` followed by `written`.

        The focus is on token `at` of `written`, counted from 0. `own` contains the answers in the
        prompt that the same model has generated (see `with_own_answers`). Raises `TreeFull`.
        """
        steps = (*with_own_answers(given_steps(prompt), own), *written)
        tree = TokenTree.from_prompt((), seed).extend(steps)
        tree = replace(tree, focus=min(len(prompt) + at, tree.length))
        return cls(mode="chat", sampler=sampler, chat_sampler=sampler, chat=tree)
