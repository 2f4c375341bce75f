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


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most tokens of a generated answer, in the chat and to a probe.

    The answer to a probe can be shorter, since it shows early whether it is right.
    """

    length: int = 60
    probe_length: int = 32


LIMITS = Limits()


class Written(msgspec.Struct, frozen=True):
    """A generated answer of at most `most` tokens, which may still be growing."""

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
    """A message and the replies to it so far.

    `seed` is 0 for a greedy answer. `cut` is True if the model must not continue its answer.
    `before` is the model's previous answer to the same message, if there is one.
    """

    message: str
    seed: int = 0
    rules: SaidByRules | None = None
    retrieval: SaidByRetrieval | None = None
    written: Written
    before: str | None = None
    cut: bool = False

    @property
    def unchanged(self) -> bool:
        """True if a new seed has led to the same answer."""
        return self.seed > 0 and self.written.done and self.written.text == self.before


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    `trained` describes the network for the learner's intents `own` and the `seed`; `first_right`
    is its accuracy on the original intents alone. `missed` are messages that no rule matched.
    `results` are the results of the probes, and `begun` is the unfinished answer to the next one.
    `weights` is the number of the model's weights, or 0 as long as it is unknown.
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
        """The rules in the order in which they are tried."""
        return tuple(sorted(self.rules, key=lambda rule: -rule.priority))

    @property
    def fits(self) -> dict[str, Fit]:
        """The matches of the sentence, by the rule's name; the first rule gives the answer."""
        return {fit.rule: fit for fit in rules.fits(self.book, self.sentence)}

    @property
    def ready(self) -> bool:
        """True if the network is trained for the current intents."""
        return self.trained is not None and self.trained.finished


def conversation(turns: tuple[Turn, ...]) -> tuple[ChatMessage, ...]:
    """Return the conversation for the generative model: all messages and its own answers."""
    said: list[ChatMessage] = []
    for turn in turns[:-1]:
        said.append(ChatMessage("user", turn.message))
        said.append(ChatMessage("assistant", turn.written.text))
    return (*said, ChatMessage("user", turns[-1].message))


def in_words(message: str) -> str:
    """Return the words of a message, without differences of case and punctuation."""
    return " ".join(folded(word) for word in words_of(message))
