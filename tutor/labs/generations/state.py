"""The state of the "Three generations" lab: conversation, rules, intents and probe results."""

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
from tutor.labs.generations.probes import CASES, Case, Result
from tutor.labs.generations.questions import Chosen, Own, SaidByRetrieval, SaidByRules, Trained
from tutor.lm.distribution import ChatMessage, Token

View = Literal["chat", "rules", "intents", "probes", "table"]
VIEWS: tuple[View, ...] = get_args(View)


LONGEST = 200
"""The maximum length of a message, in characters. Longer messages are truncated."""
MOST_TURNS = 20
"""The maximum number of messages in a conversation. The oldest ones are dropped, with their
replies."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The maximum number of tokens in a generated reply.

    `length` applies to the chat, and `probe_length` to replies to probes. Replies to probes can be
    shorter, because the first words show whether a reply is correct.
    """

    length: int = 60
    probe_length: int = 32


LIMITS = Limits()


class Written(msgspec.Struct, frozen=True):
    """A generated reply of at most `most` tokens, which may be incomplete."""

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
    """A message and the replies to it.

    Attributes:
        seed: The seed of the generated reply, or 0 if decoding is greedy.
        rules: The rule-based bot's reply, or None until it arrives.
        retrieval: The retrieval bot's reply, or None until it arrives.
        written: The generated reply so far.
        before: The previous generated reply, if the message was sent again.
        cut: True if the generated reply must not be continued, because the learner has sent another
            message.
        outdated: The bots that the learner has changed since they replied.
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
        """True if a reply to the message is missing or incomplete."""
        return not (self.rules and self.retrieval and (self.cut or self.written.done))

    @property
    def unchanged(self) -> bool:
        """True if the new seed produced the same reply as before."""
        return self.seed > 0 and self.written.done and self.written.text == self.before


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        turns: The messages of the conversation, with the replies.
        bot: The index of the selected bot.
        token: The index of the selected token in the generated reply.
        rules: The current rules.
        rule: The index of the selected rule.
        sentence: The sentence that the rules are tested on.
        written_rules: The number of rules that the learner has written so far.
        missed: The messages that no rule matched.
        own: The learner's intents.
        intent: The index of the selected intent.
        seed: The seed of the training.
        trained: The progress of the training with the current intents and seed.
        first_right: The number of held-out phrases that were classified correctly before the
            learner's intents were added, or None if unknown.
        predictions: The bot that the learner expects to be weakest, by kind of probe.
        kind: The index of the selected kind of probe.
        probe: The index of the selected probe of this kind.
        results: The results of the probes.
        begun: The incomplete generated reply to the next probe.
        weights: The number of parameters in the model, or 0 until it is known.
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
        """The rules, from the highest priority to the lowest."""
        return tuple(sorted(self.rules, key=lambda rule: -rule.priority))

    @property
    def fits(self) -> dict[str, Fit]:
        """The rules that match the test sentence, by name.

        The first of them determines the reply.
        """
        return {fit.rule: fit for fit in rules.fits(self.book, self.sentence)}

    @property
    def finished(self) -> bool:
        """True if all bots have replied to all probes."""
        return len(self.results) == len(CASES)

    @property
    def ready(self) -> bool:
        """True if training with the current intents is complete."""
        return self.trained is not None and self.trained.finished


def conversation(turns: tuple[Turn, ...]) -> tuple[ChatMessage, ...]:
    """Return the prompt for the generative bot: all messages, and its own earlier replies."""
    said: list[ChatMessage] = []
    for turn in turns[:-1]:
        said.append(ChatMessage("user", turn.message))
        said.append(ChatMessage("assistant", turn.written.text))
    return (*said, ChatMessage("user", turns[-1].message))


def in_words(message: str) -> str:
    """Return a message in lower case and without punctuation."""
    return " ".join(folded(word) for word in words_of(message))
