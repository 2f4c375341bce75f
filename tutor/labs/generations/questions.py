"""What the lab of three generations asks of the engine, and what it hears."""

from __future__ import annotations

import msgspec

from tutor.bots.bank import Entry, Intent, RetrievalReply
from tutor.bots.rules import Rule, RuleReply
from tutor.labs.generations.probes import Case
from tutor.lm.distribution import ChatMessage, Token

Own = tuple[tuple[Intent, Entry], ...]


class AskRules(msgspec.Struct, frozen=True, tag=True):
    """The answer of these rules to the last of the visitor's messages."""

    rules: tuple[Rule, ...]
    messages: tuple[str, ...]
    case: Case | None = None


class AskTraining(msgspec.Struct, frozen=True, tag=True):
    """Train a moment longer, on the shipped intents and these."""

    own: Own
    seed: int
    done: int


class AskRetrieval(msgspec.Struct, frozen=True, tag=True):
    own: Own
    seed: int
    message: str
    case: Case | None = None


class AskGeneration(msgspec.Struct, frozen=True, tag=True):
    """Go on with an answer that begins with the tokens `written`; `luck` 0 takes the most probable
    token each time, any other is the seed of the draws."""

    messages: tuple[ChatMessage, ...]
    written: tuple[int, ...]
    luck: int
    length: int
    case: Case | None = None


Question = AskRules | AskTraining | AskRetrieval | AskGeneration


class SaidByRules(msgspec.Struct, frozen=True, tag=True):
    reply: RuleReply
    milliseconds: float


class Trained(msgspec.Struct, frozen=True, tag=True):
    """Where the network stands after so many steps: their losses in nats, how many of the phrases
    held out it gets right, and those that it gets wrong (phrase, intent, what it was taken for).
    `seconds` of work so far."""

    losses: tuple[float, ...]
    total: int
    right: int
    of: int
    wrong: tuple[tuple[str, str, str], ...]
    seconds: float

    @property
    def finished(self) -> bool:
        return len(self.losses) >= self.total


class SaidByRetrieval(msgspec.Struct, frozen=True, tag=True):
    reply: RetrievalReply
    milliseconds: float


class Chosen(msgspec.Struct, frozen=True, array_like=True):
    """A token that was written, with its probability and its rank before any sampler."""

    token: Token
    probability: float
    rank: int


class Generated(msgspec.Struct, frozen=True, tag=True):
    """What comes after the tokens that were there. `prompt` is the conversation, as the model reads
    it; `ended`: the model ended its answer. `weights` is how many numbers the model consists of."""

    prompt: tuple[Token, ...]
    written: tuple[Chosen, ...]
    ended: bool
    milliseconds: float
    weights: int


Answer = SaidByRules | Trained | SaidByRetrieval | Generated
