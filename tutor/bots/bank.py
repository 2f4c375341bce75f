"""The second generation of chatbots: intents (what a visitor wants) and prepared answers.

This module contains the data types. `tutor.bots.intents` recognizes the intent of a message, and
`tutor.bots.retrieval_bot` chooses the answer by comparing vectors.
"""

import re
from typing import Annotated

import msgspec

from tutor.bots.errors import BotError
from tutor.text import counted

MOST_OWN = 10
"""The maximum number of intents that a learner can add."""
MOST_PHRASES = 40
FEWEST_PHRASES = 3
"""The minimum number of phrases that an intent needs for training."""
LONGEST = 200

Phrase = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
_NAME = r"^[a-z][a-z0-9-]{0,23}\Z"
Name = Annotated[str, msgspec.Meta(pattern=_NAME)]


class Intent(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"held_out": "held-out"}
):
    """An intent: something that visitors want, such as to borrow a book.

    The network is trained on `phrases` and tested on the `held_out` phrases. `own` is True if the
    learner wrote the intent.
    """

    name: Name
    about: str
    phrases: tuple[Phrase, ...]
    held_out: tuple[Phrase, ...] = ()
    own: bool = False


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prepared answer, with the questions that it answers."""

    asked: Annotated[tuple[Phrase, ...], msgspec.Meta(min_length=1)]
    answer: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]


class Bank(msgspec.Struct, frozen=True):
    """All intents of a bot, and the prepared answers for each intent.

    The keys of `answers` are the names of the intents.
    """

    intents: tuple[Intent, ...]
    answers: dict[str, tuple[Entry, ...]]

    @property
    def phrases(self) -> int:
        return sum(len(intent.phrases) for intent in self.intents)

    @property
    def entries(self) -> int:
        return sum(map(len, self.answers.values()))


class Near(msgspec.Struct, frozen=True):
    """A candidate answer, with one of its questions.

    `cosine` is the cosine similarity of the question and the visitor's message.
    """

    intent: str
    question: str
    answer: str
    cosine: float


class Likely(msgspec.Struct, frozen=True):
    """The name of an intent, and its probability according to the network."""

    intent: str
    probability: float


class RetrievalReply(msgspec.Struct, frozen=True):
    """The bot's reply, with the candidate answers from which it was chosen.

    `likely` contains the most probable intents. `nearest` contains the questions most similar to
    the message, among the questions of all intents that are probable enough. The reply is the
    answer to the first of these questions, or "I don't know" if its cosine similarity is below
    `threshold`.
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
    """Parse an intent and its answer: `NAME: PHRASE; PHRASE; PHRASE = ANSWER`.

    `taken` contains the names of all other intents. Raises `BotError` if the line is incomplete or
    invalid.
    """
    head, equals, answer = text.partition("=")
    name, colon, rest = head.partition(":")
    name, answer = name.strip().lower(), answer.strip()
    phrases = tuple(dict.fromkeys(each.strip() for each in rest.split(";") if each.strip()))
    if not colon or not equals or not answer:
        raise BotError(
            "This is not a complete intent.",
            "Write NAME: PHRASES = ANSWER. For example: "
            "music: do you lend records; where are the CDs; any vinyl = Upstairs.",
        )
    if not re.match(_NAME, name):
        raise BotError(f"“{name[:30]}” is not a valid name.", "Use one short word.")
    if name in taken:
        raise BotError(f"There is already an intent “{name}”.", "Choose another name.")
    if not FEWEST_PHRASES <= len(phrases) <= MOST_PHRASES:
        raise BotError(
            f"The intent has {counted(len(phrases), 'phrase')}.",
            f"Write {FEWEST_PHRASES} to {MOST_PHRASES} phrases, with ; between them.",
        )
    if any(len(each) > LONGEST for each in (*phrases, answer)):
        raise BotError("A phrase or the answer is too long.", f"Use at most {LONGEST} characters.")
    return Intent(name, "yours", phrases, own=True), Entry(phrases, answer)


def with_own(bank: Bank, own: tuple[tuple[Intent, Entry], ...]) -> Bank:
    """Return a bank that also contains the intents and answers that the learner has added."""
    return Bank(
        intents=(*bank.intents, *(intent for intent, _ in own)),
        answers=bank.answers | {intent.name: (entry,) for intent, entry in own},
    )
