"""Requests from the generations lab to the engine, and their responses."""

from __future__ import annotations

import msgspec

from tutor.bots.bank import Entry, Intent, RetrievalReply
from tutor.bots.rules import Rule, RuleReply
from tutor.labs.generations.probes import Case
from tutor.lm.distribution import ChatMessage, Token

Own = tuple[tuple[Intent, Entry], ...]


class AskRules(msgspec.Struct, frozen=True, tag=True):
    """A request for the rule-based bot's reply to the last of `messages`.

    As in the other requests, `case` is set if the request is part of a probe run.
    """

    rules: tuple[Rule, ...]
    messages: tuple[str, ...]
    case: Case | None = None


class AskTraining(msgspec.Struct, frozen=True, tag=True):
    """A request to train the network for one more time slice.

    The network learns the original intents and `own`, the intents that the learner added. `done` is
    the number of steps so far; at 0, training restarts.
    """

    own: Own
    seed: int
    done: int


class AskRetrieval(msgspec.Struct, frozen=True, tag=True):
    """A request for the retrieval bot's reply to `message`."""

    own: Own
    seed: int
    message: str
    case: Case | None = None


class AskGeneration(msgspec.Struct, frozen=True, tag=True):
    """A request to continue the generative bot's reply after the token ids `written`.

    `length` is the maximum number of tokens in the whole reply. If `seed` is 0, decoding is greedy;
    otherwise the tokens are sampled with this seed.
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
    """The progress of training the network.

    `losses` contains the loss of each step so far, in nats, and `total` is the planned number of
    steps. Of the `of` held-out phrases, `right` are classified correctly. `wrong` lists the
    misclassified ones as (phrase, correct intent, predicted intent). `seconds` is the computing
    time so far.
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
    """The next tokens of the generative bot's reply.

    `prompt` contains the conversation's tokens in the first response of a reply, and is empty after
    that. `ended` is True if the model generated an end token. `weights` is the model's parameter
    count.
    """

    prompt: tuple[Token, ...]
    written: tuple[Chosen, ...]
    ended: bool
    milliseconds: float
    weights: int


Answer = SaidByRules | Trained | SaidByRetrieval | Generated
