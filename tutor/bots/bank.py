"""The second generation: what visitors want (intents), and the answers that stand ready for it.

Which answer fits a message is found with vectors: `tutor.bots.intents`.
"""

from typing import Annotated

import msgspec

from tutor.bots.errors import BotError

MOST_OWN = 10
"""Intents that a learner can add."""
MOST_PHRASES = 40
FEWEST_PHRASES = 3
"""Phrases that a new intent needs to be trained on."""
LONGEST = 200

Phrase = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,23}$")]


class Intent(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"held_out": "held-out"}
):
    """Something that visitors want. The network is trained on `phrases`, and measured on those
    `held_out`. `own`: written by the learner."""

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
    """`answers` by the name of their intent."""

    intents: tuple[Intent, ...]
    answers: dict[str, tuple[Entry, ...]]

    @property
    def phrases(self) -> int:
        return sum(len(intent.phrases) for intent in self.intents)

    @property
    def entries(self) -> int:
        return sum(map(len, self.answers.values()))


class Near(msgspec.Struct, frozen=True):
    """An answer whose question is near to the message; `cosine` says how near."""

    intent: str
    question: str
    answer: str
    cosine: float


class Likely(msgspec.Struct, frozen=True):
    """An intent, and what the network gives it: 0 to 1."""

    intent: str
    probability: float


class RetrievalReply(msgspec.Struct, frozen=True):
    """What was looked at: `likely` intents, the most probable first, and the `nearest` questions
    among those of intents that are likely enough. The first of these speaks unless its cosine is
    below the `threshold`."""

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
"""What this bot says when nothing is near enough."""


# --- intents that the learner writes --------------------------------------------------------------


def own_intent(text: str, taken: frozenset[str]) -> tuple[Intent, Entry]:
    """An intent and its answer from one line, `NAME: PHRASE; PHRASE; PHRASE = ANSWER`. `taken` are
    the names that others have. Raises `BotError`."""
    head, equals, answer = text.partition("=")
    name, colon, rest = head.partition(":")
    name, answer = name.strip().lower(), answer.strip()
    phrases = tuple(dict.fromkeys(each.strip() for each in rest.split(";") if each.strip()))
    if not colon or not equals or not answer:
        raise BotError(
            "This is no intent yet.",
            "Write a name, phrases and an answer: music: do you lend records; any LPs = Upstairs.",
        )
    if not 0 < len(name) <= 24 or not name.replace("-", "").isalnum() or not name.isascii():
        raise BotError(f"“{name[:30]}” is no name for an intent.", "Use one short word.")
    if name in taken:
        raise BotError(f"There is an intent “{name}” already.", "Give yours another name.")
    if not FEWEST_PHRASES <= len(phrases) <= MOST_PHRASES:
        raise BotError(
            f"It has {len(phrases)} phrases.",
            f"Write {FEWEST_PHRASES} to {MOST_PHRASES} ways of asking, with ; between them.",
        )
    if any(len(each) > LONGEST for each in (*phrases, answer)):
        raise BotError(f"A phrase has {LONGEST} characters at most.", "Make it shorter.")
    return Intent(name, "yours", phrases, own=True), Entry(phrases, answer)


def with_own(bank: Bank, own: tuple[tuple[Intent, Entry], ...]) -> Bank:
    """The bank with what the learner has added."""
    return Bank(
        intents=(*bank.intents, *(intent for intent, _ in own)),
        answers=bank.answers | {intent.name: (entry,) for intent, entry in own},
    )
