"""The requests that the "Three generations" lab sends to its backend, and the responses."""

from __future__ import annotations

import msgspec

from tutor.bots.bank import Entry, Intent, RetrievalReply
from tutor.bots.rules import Rule, RuleReply
from tutor.labs.generations.probes import Case
from tutor.lm.distribution import ChatMessage, Token

Own = tuple[tuple[Intent, Entry], ...]


class AskRules(msgspec.Struct, frozen=True, tag=True):
    """A request for the rule-based bot's reply to the last of `messages`.

    In this and the following requests, `case` is the probe that the request belongs to, or None for
    a chat message.
    """

    rules: tuple[Rule, ...]
    messages: tuple[str, ...]
    case: Case | None = None


class AskTraining(msgspec.Struct, frozen=True, tag=True):
    """A request to train the retrieval bot's network for one more time slice.

    The network is trained on the bundled intents and on `own`, the learner's intents. `done` is the
    number of steps so far. If it is 0, training restarts.
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
    otherwise, tokens are sampled with this seed.
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
    """The progress of training the retrieval bot's network.

    Attributes:
        losses: The loss at each step so far, in nats.
        total: The planned number of steps.
        right: The number of held-out phrases that are classified correctly.
        of: The total number of held-out phrases.
        wrong: The misclassified phrases: the phrase, its correct intent, and the predicted intent.
        seconds: The computing time so far.
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
    """A generated token, with its probability and rank before sampler settings are applied."""

    token: Token
    probability: float
    rank: int


class Generated(msgspec.Struct, frozen=True, tag=True):
    """The next tokens of the generative bot's reply.

    Attributes:
        prompt: The tokens of the conversation. Only the first response for each reply has them.
        written: The new tokens.
        ended: True if the model generated an end token.
        weights: The number of parameters in the model.
    """

    prompt: tuple[Token, ...]
    written: tuple[Chosen, ...]
    ended: bool
    milliseconds: float
    weights: int


Answer = SaidByRules | Trained | SaidByRetrieval | Generated
