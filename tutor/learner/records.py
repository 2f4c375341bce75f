"""The records of a learner: events in the review log, and the state that follows from them.

The log is the source of truth: every event is on disk before it counts as saved. The state is
bounded, follows from the log, and can be rebuilt from it.
"""

import secrets
import threading
import time
from typing import Annotated, TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    """An event in the life of a learner.

    `at` is the time in seconds since 1970 (UTC). `id` is unique among all learners' events, so
    that the logs of two machines can be merged; `identified` can set it.
    """

    at: float
    id: str = ""


class Answered(Event, frozen=True, tag="answered", kw_only=True):
    """An answer to a question.

    `zone` is the offset of the learner's clock from UTC in minutes, which determines the
    learner's day; it is None in older logs.
    """

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
    """The answer with the id `answer`, to `question`, was undone and no longer counts."""

    answer: str
    question: str


class Suspended(Event, frozen=True, tag="suspended", kw_only=True):
    """The learner suspended a question, or brought it back into reviews."""

    question: str
    suspended: bool = True


class Forgotten(Event, frozen=True, tag="forgotten", kw_only=True):
    """All answers so far to `questions` no longer count.

    They are the questions of the lesson at that time, because answers may refer to the lesson
    by an earlier id.
    """

    lesson: str
    questions: tuple[str, ...]


class Imported(Event, frozen=True, tag="imported", kw_only=True):
    """`count` events of another machine follow, which may be older than the events before."""

    count: int


class LabDone(Event, frozen=True, tag="goal", kw_only=True):
    """All goals of a lab were reached; the tag is from when a lab had a single goal."""

    lab: str
    lesson: str


class GoalReached(Event, frozen=True, tag="goal-reached", kw_only=True):
    """One goal of a lab was reached; `goal` is its name (`tutor.course.goals.name`)."""

    lab: str
    lesson: str
    goal: str


class Predicted(Event, frozen=True, tag="predicted", kw_only=True):
    """The learner's prediction on a screen of a lesson, and the answer at that time.

    `guess` and `answer` are texts to show. `off` is the distance of a guessed number from the
    answer, as a fraction of the range and negative if the guess was too low; `right` says whether
    any other guess was right. Both are None if a guess cannot be compared.
    """

    prediction: str
    lesson: str
    guess: str
    answer: str = ""
    off: float | None = None
    right: bool | None = None


class LessonRead(Event, frozen=True, tag="read", kw_only=True):
    """The learner has seen all screens of a lesson."""

    lesson: str


class Guessed(Event, frozen=True, tag="guess", kw_only=True):
    """One round of the guessing game.

    It has the surprisal of the true next token, in bits, for the learner and for the model, and
    the rank of the guess.
    """

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
    | Predicted
    | LessonRead
    | Guessed
)
"""Every kind of event. New kinds may be added; the meaning of a tag never changes."""

AnyEvent = TypeVar("AnyEvent", bound=Event)


def new_id() -> str:
    """Return an id that is unique on all machines, and sorts after the earlier ones from here.

    The order of ids decides which of two events at the same time came first.
    """
    global _last_id
    with _making_ids:  # a clock may stop, or be set back
        _last_id = max(time.time_ns(), _last_id + 1)
        return f"{_last_id:016x}{secrets.token_hex(8)}"


_last_id = 0
_making_ids = threading.Lock()


def identified(event: AnyEvent) -> AnyEvent:
    """Return `event` with an id and, for an answer, the time zone, if these were missing."""
    if not event.id:
        event = msgspec.structs.replace(event, id=new_id())
    if isinstance(event, Answered) and event.zone is None:
        event = msgspec.structs.replace(event, zone=_zone(event.at))
    return event


def _zone(at: float) -> int:
    try:
        return time.localtime(at).tm_gmtoff // 60
    except (OverflowError, OSError, ValueError):  # a year that the system does not know
        return 0


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The learner's history with one question, and when FSRS schedules it.

    `stability` (days) and `difficulty` (1 to 10) are None if only the number of answers is
    known, from before reviews were scheduled.
    """

    question: str
    version: int
    lesson: str
    answers: int
    correct: int
    last_correct: bool
    last_at: float
    last_answer: str = ""
    """The id of the event."""
    second_at: float = 0.0
    """The time of the second answer, which is the first review; 0 if there was none."""
    due: float = 0.0
    stability: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None
    difficulty: Annotated[float, msgspec.Meta(ge=1, le=10)] | None = None
    suspended: bool = False


class Suspension(msgspec.Struct, frozen=True, order=True):
    """The time when a question was suspended, or brought back."""

    at: float
    suspended: bool


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """The card of `question` before `answer`, the latest of all answers; None if there was none."""

    question: str = ""
    answer: str = ""
    before: Card | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was entered, but not given yet.

    `answer` is in the format of the log (`tutor.course.questions.answers`); `version` is the
    version of the question.
    """

    version: int
    answer: str = ""
    hinted: bool = False
    guessed: bool = False
    attempt: int = 1


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A guess that was entered, but not submitted yet."""

    prediction: str
    text: str


class LessonState(msgspec.Struct, frozen=True, kw_only=True):
    """The learner's progress in a lesson. `screen` is a screen id."""

    lesson: str
    screen: str = ""
    question: str = ""
    """The id of the current question of the quiz; empty if no quiz is in progress."""
    quiz_order: tuple[str, ...] = ()
    """The question ids of the current quiz, in the order shown."""
    quiz_seed: int = 0
    """The seed for the order of the choices in the current quiz."""
    draft: Draft | None = None
    """The answer entered so far for `question`."""
    answer: str = ""
    """The answer given to `question`; empty if there is none.

    It follows from the log, so that a session that is killed right after an answer does not ask
    again.
    """
    seen: tuple[str, ...] = ()
    """The ids of the screens seen so far."""
    read: bool = False
    labs_done: tuple[str, ...] = ()
    goals_reached: dict[str, tuple[str, ...]] = {}
    """The names of the goals reached so far, by lab id."""
    predictions: dict[str, Predicted] = {}
    """The learner's predictions, by id; the first one counts."""
    guess: Guess | None = None
    """The guess entered so far on `screen`, before the answer is revealed."""
    visited_at: float = 0.0


class GuessHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The history of the guessing game: totals over all rounds, in bits, and the latest rounds."""

    rounds: int = 0
    learner_bits: float = 0.0
    model_bits: float = 0.0
    recent: tuple[Guessed, ...] = ()
    """At most `RECENT_GUESSES` rounds, oldest first.

    Only the last `GUESS_CONTEXT` characters of their texts are kept.
    """


RECENT_GUESSES = 50
GUESS_CONTEXT = 200

Setting = str | int | float | bool
"""A small choice that the app remembers from one session to the next."""


Position = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""The position of a byte in a file, limited to values that the system accepts."""


class LogMark(msgspec.Struct, frozen=True, kw_only=True):
    """The position in the review log up to which the state includes its events.

    Positions count bytes. `start` and `checksum` belong to the last line before `end`: they
    show whether the log is still the same. `skipped` are the starts of lines that this program
    could not read, for a newer version to process. `partial` means that the state includes
    events that the log lacks, so that the state must not be rebuilt from it; `outdated` means
    that the state was made by a version that used less of the log.
    """

    start: Position = 0
    end: Position = 0
    checksum: str = ""
    skipped: tuple[Position, ...] = ()
    partial: bool = False
    outdated: bool = False
