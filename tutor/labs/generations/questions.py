"""The questions of the lab of three generations to the engine, and the answers."""

from __future__ import annotations

import msgspec

from tutor.bots.bank import Entry, Intent, RetrievalReply
from tutor.bots.rules import Rule, RuleReply
from tutor.labs.generations.probes import Case
from tutor.lm.distribution import ChatMessage, Token

Own = tuple[tuple[Intent, Entry], ...]


class AskRules(msgspec.Struct, frozen=True, tag=True):
    """A request for the answer of these rules to the last of the visitor's messages."""

    rules: tuple[Rule, ...]
    messages: tuple[str, ...]
    case: Case | None = None


class AskTraining(msgspec.Struct, frozen=True, tag=True):
    """A request to train a moment longer, on the original intents and the learner's `own`."""

    own: Own
    seed: int
    done: int


class AskRetrieval(msgspec.Struct, frozen=True, tag=True):
    """A request for the answer of the trained network with its bank."""

    own: Own
    seed: int
    message: str
    case: Case | None = None


class AskGeneration(msgspec.Struct, frozen=True, tag=True):
    """A request to continue an answer that begins with the tokens `written`.

    With a `seed` of 0, each token is the most probable one; any other is the seed of the draws.
    """

    messages: tuple[ChatMessage, ...]
    written: tuple[int, ...]
    seed: int = msgspec.field(name="luck")
    length: int
    case: Case | None = None


Question = AskRules | AskTraining | AskRetrieval | AskGeneration


class SaidByRules(msgspec.Struct, frozen=True, tag=True):
    reply: RuleReply
    milliseconds: float


class Trained(msgspec.Struct, frozen=True, tag=True):
    """The progress of a training.

    `losses` has the loss of each step so far, in nats. `right` and `of` count held-out phrases,
    and `wrong` lists those that are misclassified (phrase, right intent, predicted intent).
    `seconds` is the computing time so far.
    """

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
    """A generated token, with its probability and its rank before the sampler."""

    token: Token
    probability: float
    rank: int


class Generated(msgspec.Struct, frozen=True, tag=True):
    """The tokens that continue an answer.

    `prompt` is the conversation in tokens. `ended` is True if the model ended its answer.
    `weights` is the number of the model's weights.
    """

    prompt: tuple[Token, ...]
    written: tuple[Chosen, ...]
    ended: bool
    milliseconds: float
    weights: int


Answer = SaidByRules | Trained | SaidByRetrieval | Generated
