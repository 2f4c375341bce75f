"""The state of the lab: the conversation, the current rules and intents, and the probe results."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec
from msgspec.structs import replace

from tutor.bots import rules
from tutor.bots.bank import Bank, with_own
from tutor.bots.files import shipped_bank, shipped_rules
from tutor.bots.pattern import folded, words_of
from tutor.bots.probes import Bot, Kind
from tutor.bots.rules import Fit, Rule, RuleBook
from tutor.labs.generations.probes import Case, Result
from tutor.labs.generations.questions import Chosen, Own, SaidByRetrieval, SaidByRules, Trained
from tutor.lm.distribution import ChatMessage, Token

View = Literal["chat", "rules", "intents", "probes", "table"]
VIEWS: tuple[View, ...] = get_args(View)


LONGEST = 200
"""The maximum length of a message in characters. Longer messages are truncated."""
MOST_TURNS = 20
"""The maximum number of turns in a conversation. Older turns are dropped."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The maximum number of tokens in a generated reply: `length` in the chat, else `probe_length`.

    Replies to probes can be shorter because their first words show whether they are correct.
    """

    length: int = 60
    probe_length: int = 32


LIMITS = Limits()


class Written(msgspec.Struct, frozen=True):
    """A generated reply of at most `most` tokens, possibly incomplete."""

    most: int
    prompt: tuple[Token, ...] = ()
    tokens: tuple[Chosen, ...] = ()
    ended: bool = False
    milliseconds: float = 0.0

    @property
    def text(self) -> str:
        data = b"".join(each.token.data for each in self.tokens if not each.token.special)
        return data.decode("utf-8", "replace")

    @property
    def done(self) -> bool:
        return self.ended or len(self.tokens) >= self.most


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A message and the replies received so far.

    `seed` is 0 for a greedy reply. `cut` is True if the generated reply must not be continued,
    because a later message has been sent. `before` is the previous generated reply to the same
    message, if the learner sent it again. `outdated` has the bots that the learner has changed
    since they replied.
    """

    message: str
    seed: int = 0
    rules: SaidByRules | None = None
    retrieval: SaidByRetrieval | None = None
    written: Written
    before: str | None = None
    cut: bool = False
    outdated: frozenset[Bot] = frozenset()

    @property
    def waits(self) -> bool:
        """True if a reply to the message is still missing."""
        return not (self.rules and self.retrieval and (self.cut or self.written.done))

    @property
    def unchanged(self) -> bool:
        """True if a new seed produced the same reply."""
        return self.seed > 0 and self.written.done and self.written.text == self.before


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    `missed` contains the messages that no rule matched. `own` contains the intents that the learner
    added, and `trained` is the progress of training with these intents and `seed`. `first_right` is
    the number of correct held-out phrases without the learner's intents. `results` contains the
    probe results, and `begun` the incomplete reply to the next probe. `weights` is the model's
    parameter count, or 0 until it is known.
    """

    limits: Limits = LIMITS
    view: View = "chat"
    turns: tuple[Turn, ...] = ()
    bot: int = 0
    token: int = 0
    rules: tuple[Rule, ...]
    rule: int = 0
    sentence: str = "My parrot ate my library card."
    written_rules: int = 0
    missed: frozenset[str] = frozenset()
    own: Own = ()
    intent: int = 0
    seed: int = 1
    training: bool = False
    trained: Trained | None = None
    first_right: int | None = None
    predictions: dict[Kind, Bot] = {}
    kind: int = 0
    probe: int = 0
    running: bool = False
    results: dict[Case, Result] = {}
    begun: Written
    weights: int = 0

    @property
    def book(self) -> RuleBook:
        return replace(shipped_rules(), rules=self.rules)

    @property
    def bank(self) -> Bank:
        return with_own(shipped_bank(), self.own)

    @property
    def turn(self) -> Turn | None:
        return self.turns[-1] if self.turns else None

    @property
    def rules_shown(self) -> tuple[Rule, ...]:
        """The rules in order of priority, highest first."""
        return tuple(sorted(self.rules, key=lambda rule: -rule.priority))

    @property
    def fits(self) -> dict[str, Fit]:
        """The matches for the test sentence by rule name. The first rule determines the reply."""
        return {fit.rule: fit for fit in rules.fits(self.book, self.sentence)}

    @property
    def ready(self) -> bool:
        """True if training with the current intents is complete."""
        return self.trained is not None and self.trained.finished


def conversation(turns: tuple[Turn, ...]) -> tuple[ChatMessage, ...]:
    """Return the prompt for the generative model: all messages, and its own earlier replies."""
    said: list[ChatMessage] = []
    for turn in turns[:-1]:
        said.append(ChatMessage("user", turn.message))
        said.append(ChatMessage("assistant", turn.written.text))
    return (*said, ChatMessage("user", turns[-1].message))


def in_words(message: str) -> str:
    """Return the words of a message in lower case and without punctuation."""
    return " ".join(folded(word) for word in words_of(message))
