"""The second generation: what visitors want (intents), and a bank of prepared answers.

`tutor.bots.intents` recognizes the intent of a message, and `tutor.bots.retrieval_bot` picks the
answer by comparing vectors.
"""

import re
from typing import Annotated

import msgspec

from tutor.bots.errors import BotError

MOST_OWN = 10
"""The most intents that a learner can add."""
MOST_PHRASES = 40
FEWEST_PHRASES = 3
"""The fewest phrases that a new intent can be trained on."""
LONGEST = 200

Phrase = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
_NAME = r"^[a-z][a-z0-9-]{0,23}\Z"
Name = Annotated[str, msgspec.Meta(pattern=_NAME)]


class Intent(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"held_out": "held-out"}
):
    """Something that visitors want.

    The network is trained on `phrases` and measured on `held_out`. `own` means that the learner
    wrote it.
    """

    name: Name
    about: str
    phrases: tuple[Phrase, ...]
    held_out: tuple[Phrase, ...] = ()
    own: bool = False


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer, with the questions that it was written for."""

    asked: Annotated[tuple[Phrase, ...], msgspec.Meta(min_length=1)]
    answer: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]


class Bank(msgspec.Struct, frozen=True):
    """The intents, and the answers by the name of their intent."""

    intents: tuple[Intent, ...]
    answers: dict[str, tuple[Entry, ...]]

    @property
    def phrases(self) -> int:
        return sum(len(intent.phrases) for intent in self.intents)

    @property
    def entries(self) -> int:
        return sum(map(len, self.answers.values()))


class Near(msgspec.Struct, frozen=True):
    """An answer with one of its questions, and how similar that question is to the message."""

    intent: str
    question: str
    answer: str
    cosine: float


class Likely(msgspec.Struct, frozen=True):
    """An intent, and the probability that the network gives it."""

    intent: str
    probability: float


class RetrievalReply(msgspec.Struct, frozen=True):
    """The bot's reply, with the candidates that it was chosen from.

    `likely` has the most probable intents, and `nearest` the most similar questions of all intents
    that are probable enough. The reply is the answer to the first of these questions, unless its
    cosine is below `threshold`.
    """

    likely: tuple[Likely, ...]
    nearest: tuple[Near, ...]
    threshold: float

    @property
    def declined(self) -> bool:
        return not self.nearest or self.nearest[0].cosine < self.threshold

    @property
    def text(self) -> str:
        return UNKNOWN if self.declined else self.nearest[0].answer


UNKNOWN = "I don't know. Please ask at the desk."
"""The reply if no question is similar enough."""


# --- intents that the learner writes --------------------------------------------------------------


def own_intent(text: str, taken: frozenset[str]) -> tuple[Intent, Entry]:
    """Return an intent and its answer from one line, `NAME: PHRASE; PHRASE; PHRASE = ANSWER`.

    `taken` are the names of the other intents. Raises `BotError`.
    """
    head, equals, answer = text.partition("=")
    name, colon, rest = head.partition(":")
    name, answer = name.strip().lower(), answer.strip()
    phrases = tuple(dict.fromkeys(each.strip() for each in rest.split(";") if each.strip()))
    if not colon or not equals or not answer:
        raise BotError(
            "This is not a complete intent.",
            "Write a name, phrases and an answer: music: do you lend records; LPs; CDs = Upstairs.",
        )
    if not re.match(_NAME, name):
        raise BotError(f"“{name[:30]}” is not a valid name.", "Use one short word.")
    if name in taken:
        raise BotError(f"There is already an intent “{name}”.", "Choose another name.")
    if not FEWEST_PHRASES <= len(phrases) <= MOST_PHRASES:
        raise BotError(
            f"The intent has {len(phrases)} phrases.",
            f"Write {FEWEST_PHRASES} to {MOST_PHRASES} phrases, with ; between them.",
        )
    if any(len(each) > LONGEST for each in (*phrases, answer)):
        raise BotError("A phrase or the answer is too long.", f"Use at most {LONGEST} characters.")
    return Intent(name, "yours", phrases, own=True), Entry(phrases, answer)


def with_own(bank: Bank, own: tuple[tuple[Intent, Entry], ...]) -> Bank:
    """Return the bank with the intents that the learner has added."""
    return Bank(
        intents=(*bank.intents, *(intent for intent, _ in own)),
        answers=bank.answers | {intent.name: (entry,) for intent, entry in own},
    )
