"""Define a learner's records: events in the review log, and the state computed from them.

The log is the source of truth: an event counts as saved once it is on disk. The state has a bounded
size and can be rebuilt from the log.
"""

import secrets
import threading
import time
from typing import Annotated, TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    """Something that a learner did.

    `at` is the time in seconds since 1970 (UTC). `id` is unique across the events of all learners,
    so that logs from two machines can be merged; `identified` sets it if it is empty.
    """

    at: float
    id: str = ""


class Answered(Event, frozen=True, tag="answered", kw_only=True):
    """An answer to a question.

    `zone` is the learner's offset from UTC in minutes. It determines the day on which the answer
    counts. It is None in old logs.
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
    """The learner undid the answer with the id `answer` to `question`; it no longer counts."""

    answer: str
    question: str


class Suspended(Event, frozen=True, tag="suspended", kw_only=True):
    """The learner suspended a question or brought it back into reviews."""

    question: str
    suspended: bool = True


class Forgotten(Event, frozen=True, tag="forgotten", kw_only=True):
    """All earlier answers to `questions` no longer count.

    These are the questions that the lesson had at that time. They are listed because answers may
    refer to the lesson by an earlier id.
    """

    lesson: str
    questions: tuple[str, ...]


class Imported(Event, frozen=True, tag="imported", kw_only=True):
    """The next `count` events come from another machine and may be older than earlier events."""

    count: int


class LabDone(Event, frozen=True, tag="goal", kw_only=True):
    """The learner reached all goals of a lab; the tag dates from when a lab had only one goal."""

    lab: str
    lesson: str


class GoalReached(Event, frozen=True, tag="goal-reached", kw_only=True):
    """The learner reached one goal of a lab; `goal` is its name (`tutor.course.goals.name`)."""

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

    `rank` is the rank of the guess. `learner_bits` and `model_bits` are the surprisal of the true
    next token for the learner and for the model.
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
    """Return an id that is unique on all machines and sorts after earlier ids from this machine.

    If two events have the same time, the order of their ids determines which came first.
    """
    global _last_id
    with _making_ids:  # the clock may stand still, or be set back
        _last_id = max(time.time_ns(), _last_id + 1)
        return f"{_last_id:016x}{secrets.token_hex(8)}"


_last_id = 0
_making_ids = threading.Lock()


def identified(event: AnyEvent) -> AnyEvent:
    """Return `event` with an id and, for an answer, a time zone, if they were missing."""
    if not event.id:
        event = msgspec.structs.replace(event, id=new_id())
    if isinstance(event, Answered) and event.zone is None:
        event = msgspec.structs.replace(event, zone=_zone(event.at))
    return event


def _zone(at: float) -> int:
    try:
        return time.localtime(at).tm_gmtoff // 60
    except (OverflowError, OSError, ValueError):  # a year that the system does not support
        return 0


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The learner's history with one question, and its schedule by FSRS.

    `stability` (in days) and `difficulty` (1 to 10) are None if only the number of answers is
    known. This is the case for answers from before reviews were scheduled.
    """

    question: str
    version: int
    lesson: str
    answers: int
    correct: int
    last_correct: bool
    last_at: float
    last_answer: str = ""
    """The id of the last `Answered` event."""
    second_at: float = 0.0
    """The time of the second answer, which is the first review; 0 if there is none."""
    due: float = 0.0
    stability: Annotated[float, msgspec.Meta(gt=0, le=1e9)] | None = None
    difficulty: Annotated[float, msgspec.Meta(ge=1, le=10)] | None = None
    suspended: bool = False
    decay: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1542
    """How fast the recall falls, which is one of FSRS's parameters; the default is FSRS's own."""


class Suspension(msgspec.Struct, frozen=True, order=True):
    """The time when a question was suspended or brought back into reviews."""

    at: float
    suspended: bool


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """The data for undoing the latest answer.

    `answer` is the id of its event. `before` is the card of `question` before that answer, or None
    if there was no card.
    """

    question: str = ""
    answer: str = ""
    before: Card | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was entered but not submitted yet.

    `answer` has the format used in the log (`tutor.course.questions.answers`). `version` is the
    version of the question.
    """

    version: int
    answer: str = ""
    hinted: bool = False
    guessed: bool = False
    attempt: int = 1


class PredictionDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A guess that was entered, but not submitted yet."""

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
    """The ids of the questions that the current quiz does not ask."""
    draft: Draft | None = None
    """The answer entered so far for `question`."""
    answer: str = ""
    """The answer submitted to `question`, or empty.

    It is taken from the log, so that a question is not asked again if the session is killed right
    after an answer.
    """
    seen: tuple[str, ...] = ()
    """The ids of the screens seen so far."""
    read: bool = False
    labs_done: tuple[str, ...] = ()
    goals_reached: dict[str, tuple[str, ...]] = {}
    """The names of the goals reached so far, by lab id."""
    predictions: dict[str, Predicted] = {}
    """The learner's predictions, by id; the first one counts."""
    prediction_draft: PredictionDraft | None = None
    """The guess that was typed on `screen` but not submitted yet."""
    visited_at: float = 0.0


class GuessHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The history of the guessing game: totals over all rounds, in bits, and the latest rounds."""

    rounds: int = 0
    learner_bits: float = 0.0
    model_bits: float = 0.0
    recent: tuple[Guessed, ...] = ()
    """The latest rounds, at most `RECENT_GUESSES`, oldest first.

    Only the last `GUESS_CONTEXT` characters of each text are stored.
    """


RECENT_GUESSES = 50
GUESS_CONTEXT = 200

Setting = str | int | float | bool
"""The value of a setting that the app remembers between sessions."""


Position = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""A byte offset in a file, limited to values that the operating system accepts."""


class LogMark(msgspec.Struct, frozen=True, kw_only=True):
    """The position in the review log up to which the state includes the events.

    Positions are byte offsets. `start` and `checksum` describe the last line before `end`; they
    show whether the log has been replaced. `skipped` lists the starts of lines that this version
    could not interpret, so that a newer version can process them. `partial` means that the state
    includes events that are missing from the log, so it must not be rebuilt from the log.
    `outdated` means that the state comes from a version that did not schedule reviews yet. `fitted`
    is the setting with the parameters of FSRS with which the cards were scheduled.
    """

    start: Position = 0
    end: Position = 0
    checksum: str = ""
    skipped: tuple[Position, ...] = ()
    partial: bool = False
    outdated: bool = False
    fitted: str = ""
