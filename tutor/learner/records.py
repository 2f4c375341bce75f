"""Define the events in the review log, and the state computed from them.

The log is the source of truth: an event is saved as soon as it is on disk. The state has a bounded
size and can be rebuilt from the log.
"""

import secrets
import threading
import time
from typing import Annotated, TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    """An event: something that the learner has done.

    `at` is the time in seconds since 1970 (UTC). `id` is unique among the events of all learners,
    so that logs from two machines can be merged. If it is empty, `identified` sets it.
    """

    at: float
    id: str = ""


class Answered(Event, frozen=True, tag="answered", kw_only=True):
    """An answer to a question.

    `zone` is the offset of the learner's local time from UTC in minutes, or None in old logs. It
    determines which day the answer belongs to.
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
    """The learner undid the answer with the id `answer`, so it no longer counts."""

    answer: str
    question: str


class Suspended(Event, frozen=True, tag="suspended", kw_only=True):
    """The learner suspended a question, or brought it back into reviews."""

    question: str
    suspended: bool = True


class Forgotten(Event, frozen=True, tag="forgotten", kw_only=True):
    """The learner reset `questions`, so that all earlier answers to them no longer count.

    These are the questions that the lesson had at that time. The event lists them because answers
    can refer to the lesson by an earlier id.
    """

    lesson: str
    questions: tuple[str, ...]


class Imported(Event, frozen=True, tag="imported", kw_only=True):
    """The next `count` events in the log come from another machine.

    They may be older than the events before them.
    """

    count: int


class LabDone(Event, frozen=True, tag="goal", kw_only=True):
    """The learner reached all goals of a lab.

    The tag dates from a version in which a lab had only one goal.
    """

    lab: str
    lesson: str


class GoalReached(Event, frozen=True, tag="goal-reached", kw_only=True):
    """The learner reached one goal of a lab. `goal` is its name (`tutor.course.goals.name`)."""

    lab: str
    lesson: str
    goal: str


class Predicted(Event, frozen=True, tag="predicted", kw_only=True):
    """The learner's prediction on a screen of a lesson, with the answer at that time.

    `guess` and `answer` are strings to display. `off` is the difference between a guessed number
    and the answer, as a fraction of the range; it is negative if the guess was too low. For other
    kinds of guesses, `right` is True if the guess was right. Both are None if the guess cannot be
    compared with the answer.
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

    `rank` is the rank of the guess. `learner_bits` and `model_bits` are the surprisal of the true
    next token under the learner's bet and under the model's distribution.
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
"""Every kind of event. New kinds may be added, but the meaning of a tag never changes."""

AnyEvent = TypeVar("AnyEvent", bound=Event)


def new_id() -> str:
    """Return an id that is unique on all machines.

    The id sorts after all earlier ids from this machine. If two events have the same time, their
    ids determine which came first.
    """
    global _last_id
    with _making_ids:  # The clock may return the same time twice, or someone may set it back.
        _last_id = max(time.time_ns(), _last_id + 1)
        return f"{_last_id:016x}{secrets.token_hex(8)}"


_last_id = 0
_making_ids = threading.Lock()


def identified(event: AnyEvent) -> AnyEvent:
    """Return `event`, with a new id if it has none.

    If the event is an answer without a time zone, the time zone of this machine is added too.
    """
    if not event.id:
        event = msgspec.structs.replace(event, id=new_id())
    if isinstance(event, Answered) and event.zone is None:
        event = msgspec.structs.replace(event, zone=_zone(event.at))
    return event


def _zone(at: float) -> int:
    try:
        return time.localtime(at).tm_gmtoff // 60
    # The operating system cannot convert times that are this far from the present.
    except (OverflowError, OSError, ValueError):
        return 0


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A summary of the learner's answers to one question, and the question's FSRS schedule.

    `stability` (in days) and `difficulty` (1 to 10) are None if only the counts of answers are
    known. This is true for answers from old versions, which did not schedule reviews.
    """

    question: str
    version: int
    lesson: str
    answers: int
    correct: int
    last_correct: bool
    last_at: float
    last_answer: str = ""
    """The id of the last `Answered` event for this question."""
    second_at: float = 0.0
    """The time of the second answer (the first review), or 0 if there is none."""
    due: float = 0.0
    stability: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None
    difficulty: Annotated[float, msgspec.Meta(ge=1, le=10)] | None = None
    suspended: bool = False
    decay: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1542
    """The FSRS parameter that determines how fast the probability of recall falls.

    0.1542 is FSRS's default.
    """


class Suspension(msgspec.Struct, frozen=True, order=True):
    """The time when the learner suspended or unsuspended a question."""

    at: float
    suspended: bool


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """The data for undoing the latest answer.

    `answer` is the id of the event. `before` is the card of `question` before this answer, or None
    if there was no card.
    """

    question: str = ""
    answer: str = ""
    before: Card | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that the learner has entered but not submitted.

    `answer` has the same format as in the log (`tutor.course.questions.answers`). `version` is the
    version of the question.
    """

    version: int
    answer: str = ""
    hinted: bool = False
    guessed: bool = False
    attempt: int = 1


class PredictionDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A guess that the learner has entered but not submitted."""

    prediction: str
    text: str


class LessonState(msgspec.Struct, frozen=True, kw_only=True):
    """The learner's progress in a lesson. `screen` is the id of the current screen."""

    lesson: str
    screen: str = ""
    question: str = ""
    """The id of the current question of the quiz; empty if no quiz is in progress."""
    quiz_order: tuple[str, ...] = ()
    """The question ids of the current quiz, in the order shown."""
    quiz_seed: int = 0
    """The seed for the order of the choices in the current quiz."""
    quiz_left_out: tuple[str, ...] = ()
    """The ids of the lesson's questions that the current quiz leaves out."""
    quiz_ended: bool = False
    """True if the learner has finished a quiz on the lesson, even by skipping every question."""
    draft: Draft | None = None
    """The answer that the learner has entered so far for `question`."""
    answer: str = ""
    """The answer that the learner has submitted to `question`, or an empty string.

    It comes from the log, so that a question is not asked again if the session is killed right
    after an answer.
    """
    seen: tuple[str, ...] = ()
    """The ids of the screens that the learner has seen."""
    read: bool = False
    labs_done: tuple[str, ...] = ()
    goals_reached: dict[str, tuple[str, ...]] = {}
    """The names of the goals that the learner has reached, by lab id."""
    predictions: dict[str, Predicted] = {}
    """The learner's predictions, by id. Only the first prediction for an id counts."""
    prediction_draft: PredictionDraft | None = None
    """The guess that the learner has entered on `screen` but not submitted."""
    predictions_skipped: tuple[str, ...] = ()
    """The ids of the predictions whose answer the learner has seen without making a guess."""
    visited_at: float = 0.0


class GuessHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The history of the guessing game: totals in bits over all rounds, and the latest rounds."""

    rounds: int = 0
    learner_bits: float = 0.0
    model_bits: float = 0.0
    recent: tuple[Guessed, ...] = ()
    """The latest `RECENT_GUESSES` rounds, oldest first.

    Each round contains only the last `GUESS_CONTEXT` characters of its text.
    """


RECENT_GUESSES = 50
GUESS_CONTEXT = 200

Setting = str | int | float | bool
"""The value of a setting that the app remembers between sessions."""


Position = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""A byte offset in a file, limited to values that every operating system accepts."""


class LogMark(msgspec.Struct, frozen=True, kw_only=True):
    """The position in the review log up to which events have been applied to the state.

    `start`, `end` and `checksum` describe the last line that was applied: its byte offsets and its
    checksum. They show whether the log has been replaced since. `skipped` lists the byte offsets of
    lines that this version cannot interpret, so that a newer version can apply them.

    `partial` means that the state includes events that are missing from the log, so it must not be
    rebuilt from the log. `outdated` means that the state comes from an old version, which did not
    schedule reviews. `fitted` contains the learner's own FSRS parameters, if they were used to
    schedule the cards, or "" if the default parameters were used.
    """

    start: Position = 0
    end: Position = 0
    checksum: str = ""
    skipped: tuple[Position, ...] = ()
    partial: bool = False
    outdated: bool = False
    fitted: str = ""
