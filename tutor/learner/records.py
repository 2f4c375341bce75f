"""What is written down about a learner: events in the review log, and the state made of them.

The log is the truth: every event is appended (and on disk) before anyone is told it is saved.
The state is bounded, follows from the log, and can be rebuilt from it.
"""

import secrets
import threading
import time
from typing import Annotated, TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    """`at` is the time in seconds since 1970 (UTC). `id` is unique among all learners' events, so
    that the logs of two machines can be merged; it may be left to `identified`."""

    at: float
    id: str = ""


class Answered(Event, frozen=True, tag="answered", kw_only=True):
    """`zone`: how many minutes the learner's clock was ahead of UTC, which decides whose day it
    was; None in logs from before it was kept."""

    question: str
    version: int
    lesson: str
    correct: bool
    guessed: bool = False
    hinted: bool = False
    attempt: int = 1
    answer: str = ""
    zone: int | None = None


class Undone(Event, frozen=True, tag="undone", kw_only=True):
    """The answer with the id `answer`, to `question`, was taken back: it counts for nothing."""

    answer: str
    question: str


class Suspended(Event, frozen=True, tag="suspended", kw_only=True):
    """The learner does not want to be asked this question in reviews, or wants to again."""

    question: str
    suspended: bool = True


class Forgotten(Event, frozen=True, tag="forgotten", kw_only=True):
    """Every answer given so far to `questions` counts for nothing. They are those of the lesson at
    that time: answers may name it by an earlier id."""

    lesson: str
    questions: tuple[str, ...]


class Imported(Event, frozen=True, tag="imported", kw_only=True):
    """`count` events of another machine follow, which may be older than those before."""

    count: int


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


LogEvent = (
    Answered
    | Undone
    | Suspended
    | Forgotten
    | Imported
    | LabDone
    | GoalReached
    | LessonRead
    | Guessed
)
"""Every kind of event. A new kind may be added; a tag is never given another meaning."""

AnyEvent = TypeVar("AnyEvent", bound=Event)


def new_id() -> str:
    """Unique on every machine, and later in the alphabet than those made here before: of two
    events at the same time, that decides which came first."""
    global _last_id
    with _making_ids:  # a clock may stand still, or be set back
        _last_id = max(time.time_ns(), _last_id + 1)
        return f"{_last_id:016x}{secrets.token_hex(8)}"


_last_id = 0
_making_ids = threading.Lock()


def identified(event: AnyEvent) -> AnyEvent:
    """`event` with the id, and an answer with the time zone, that it still lacks."""
    if not event.id:
        event = msgspec.structs.replace(event, id=new_id())
    if isinstance(event, Answered) and event.zone is None:
        event = msgspec.structs.replace(event, zone=_zone(event.at))
    return event


def _zone(at: float) -> int:
    try:
        return time.localtime(at).tm_gmtoff // 60
    except (OverflowError, OSError, ValueError):  # no year that the system knows
        return 0


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One question as the learner knows it, and when FSRS wants it asked again.

    `stability` (days) and `difficulty` (1 to 10) are None on a card whose answers are known by
    number only, from before reviews were scheduled.
    """

    question: str
    version: int
    lesson: str
    answers: int
    correct: int
    last_correct: bool
    last_at: float
    last_answer: str = ""
    """Id of the event."""
    second_at: float = 0.0
    """When it was answered for the second time, which is its first review; 0 if it was not."""
    due: float = 0.0
    stability: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None
    difficulty: Annotated[float, msgspec.Meta(ge=1, le=10)] | None = None
    suspended: bool = False


class Suspension(msgspec.Struct, frozen=True, order=True):
    """Since when a question is suspended, or no longer."""

    at: float
    suspended: bool


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What the card of `question` was before `answer`, the last of all answers; None where there
    was none."""

    question: str = ""
    answer: str = ""
    before: Card | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about a question before it was answered. `answer` is written as in the log
    (`tutor.course.questions.answers`); `version` is that of the question."""

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


Position = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""Of a byte in a file: what no file has cannot be asked of the system either."""


class LogMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far into the review log the state has got.

    Positions count bytes. `start` and `checksum` belong to the last line before `end`: they tell
    whether the log is still the one that was read. `skipped` are the starts of lines that this
    program did not understand, for a newer one to catch up with. `partial` says that the state
    knows more than the log, which can then never replace it; `outdated` that the state was made by
    a program that took less from the log.
    """

    start: Position = 0
    end: Position = 0
    checksum: str = ""
    skipped: tuple[Position, ...] = ()
    partial: bool = False
    outdated: bool = False
