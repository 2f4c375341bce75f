"""What is written down about a learner: events in the review log, and the state made of them.

The log is the truth: every event is appended (and on disk) before anyone is told it is saved.
The state is bounded, follows from the log, and can be rebuilt from it.
"""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    """`at` is the time in seconds since 1970 (UTC)."""

    at: float


class Answered(Event, frozen=True, tag="answered", kw_only=True):
    question: str
    version: int
    lesson: str
    correct: bool
    guessed: bool = False
    hinted: bool = False
    attempt: int = 1
    answer: str = ""


class LabDone(Event, frozen=True, tag="goal", kw_only=True):
    """Every goal of a lab was reached. (The tag is from when a lab had a single goal.)"""

    lab: str
    lesson: str


class GoalReached(Event, frozen=True, tag="goal-reached", kw_only=True):
    """One goal of a lab was reached; `goal` is its name (`tutor.course.goals.name`)."""

    lab: str
    lesson: str
    goal: str


class LessonRead(Event, frozen=True, tag="read", kw_only=True):
    """All screens of a lesson were seen."""

    lesson: str


class Guessed(Event, frozen=True, tag="guess", kw_only=True):
    """One round of the guessing game: what the learner's guess and the model paid for the true
    next token, in bits, and how the guess ranked."""

    text: str
    guess: str
    actual: str
    rank: int
    learner_bits: float
    model_bits: float


LogEvent = Answered | LabDone | GoalReached | LessonRead | Guessed
"""Every kind of event. A new kind may be added; a tag is never given another meaning."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One question as the learner knows it."""

    question: str
    version: int
    lesson: str
    answers: int
    correct: int
    last_correct: bool
    last_at: float


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about a question before it was answered. `answer` is written as in the log
    (`tutor.course.answer_text`); `version` is that of the question."""

    version: int
    answer: str = ""
    hinted: bool = False
    guessed: bool = False
    attempt: int = 1


class LessonState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a lesson has got. `screen` is a screen id."""

    lesson: str
    screen: str = ""
    question: str = ""
    """Id of the question that the quiz stands at; empty when no quiz is under way."""
    quiz_order: tuple[str, ...] = ()
    """Question ids of the quiz under way, in the order shown."""
    quiz_seed: int = 0
    """Seed of the order of the choices in the quiz under way."""
    draft: Draft | None = None
    """What was entered for `question` so far."""
    answer: str = ""
    """The answer that was given to `question`; empty while it has none. Follows from the log, so
    that a session killed right after an answer does not ask again."""
    seen: tuple[str, ...] = ()
    """Screen ids seen so far."""
    read: bool = False
    labs_done: tuple[str, ...] = ()
    goals_reached: dict[str, tuple[str, ...]] = {}
    """Names of the goals reached so far, by lab id."""
    visited_at: float = 0.0


class GuessHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The guessing game so far: totals over all rounds, in bits, and the latest rounds."""

    rounds: int = 0
    learner_bits: float = 0.0
    model_bits: float = 0.0
    recent: tuple[Guessed, ...] = ()
    """Oldest first, at most `RECENT_GUESSES`, each with the last `GUESS_CONTEXT` characters of its
    text."""


RECENT_GUESSES = 50
GUESS_CONTEXT = 200

Setting = str | int | float | bool
"""A small choice the app remembers from one session to the next."""


class LogMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far into the review log the state has got.

    Positions count bytes. `start` and `checksum` belong to the last line before `end`: they tell
    whether the log is still the one that was read. `skipped` are the starts of lines that this
    program did not understand, for a newer one to catch up with.
    """

    start: int = 0
    end: int = 0
    checksum: str = ""
    skipped: tuple[int, ...] = ()
