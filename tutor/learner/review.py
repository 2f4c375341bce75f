"""Decide which questions are due for review, and estimate how well the learner knows them.

These functions are pure: they use neither the disk nor a clock. Times are in seconds since 1970,
and days are local days. The current questions of the course are passed as a mapping from ids to
`ReviewQuestion`s. If a question is removed from the course, its card is kept but ignored.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from tutor.learner import days
from tutor.learner.clock import local_day_number, midnights
from tutor.learner.records import Card, Setting
from tutor.learner.schedule import RETENTION, due_at, recall
from tutor.learner.state import LearnerState
from tutor.settings.schema import ReviewSettings

CAP_SETTING, NEW_SETTING = "review.cap", "review.new"
"""The names of the limits that `tutor review --cap` and `--new` save for one learner.

These limits override the configuration file.
"""
NOT_SET = -1
"""The stored value of a limit that is not set for this learner."""

_USUAL_SETTINGS = ReviewSettings()

MATURE = 21.0
"""The minimum stability, in days, of a question that counts as fully known."""

CHANGED = "This question has changed since you answered it, so its schedule starts over."


class ReviewQuestion(msgspec.Struct, frozen=True):
    """A question in the course, with the screen that explains its answer.

    `screen` is empty if no screen is known.
    """

    question: str
    version: int
    lesson: str
    screen: str = ""


class Due(msgspec.Struct, frozen=True):
    """A question that is due at the time `at`.

    `new` is True if the learner has answered it at most once. `why` is a sentence that explains an
    unexpected due time, and is usually empty.
    """

    question: str
    lesson: str
    at: float
    new: bool = False
    why: str = ""


class Queue(msgspec.Struct, frozen=True):
    """The review queue.

    `due` has the questions to review now, and `ahead` has the questions that are due later, both
    sorted by due time. `held` has the questions that are due but exceed the daily limits, and
    `at_cap` is True if the limit on all reviews holds them back, rather than the limit on first
    reviews. `suspended` is the number of suspended questions, and `retired` is the number of
    questions that are no longer in the course.
    """

    due: tuple[Due, ...] = ()
    ahead: tuple[Due, ...] = ()
    held: tuple[Due, ...] = ()
    at_cap: bool = False
    suspended: int = 0
    retired: int = 0

    @property
    def held_back(self) -> int:
        """The number of questions that are due but exceed the daily limits."""
        return len(self.held)

    @property
    def next_at(self) -> float | None:
        """Return the time when the next question is due, or None if there is none."""
        return self.ahead[0].at if self.ahead else None


class Limits(msgspec.Struct, frozen=True):
    """The limits on reviews per day, and the learner's desired retention.

    `cap` is the maximum number of reviews per day. At most `new` of these can be first reviews.
    `retention` is the probability of recall (0 to 1) at which a question is due.
    """

    cap: int = _USUAL_SETTINGS.a_day
    new: int = _USUAL_SETTINGS.new_a_day
    retention: float = RETENTION


def limits(setting: Callable[[str], Setting | None], general: ReviewSettings) -> Limits:
    """Return the learner's own limits where they are set, and the limits in `general` otherwise."""

    def number(name: str, default: int) -> int:
        own = own_limit(setting, name)
        return default if own is None else own

    return Limits(
        number(CAP_SETTING, general.a_day),
        number(NEW_SETTING, general.new_a_day),
        general.retention,
    )


def own_limit(setting: Callable[[str], Setting | None], name: str) -> int | None:
    """Return a limit that is set for this learner, or None. Invalid settings are ignored."""
    value = setting(name)
    sound = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if sound else None  # type: ignore[return-value]


def queue(
    state: LearnerState, questions: Mapping[str, ReviewQuestion], now: float, limit: Limits
) -> Queue:
    """Return the review queue at the time `now`.

    `questions` maps ids to the questions of the course. A question is due from the beginning of
    the day for which FSRS schedules it. Reviews that the learner has already done today count
    toward the limits.
    """
    begin, end = midnights(now, 1)
    due: list[Due] = []
    ahead: list[Due] = []
    suspended = retired = reviewed = begun = 0
    for card in state.cards.values():
        if begin <= card.last_at < end and card.answers > 1:
            reviewed += 1
            begun += begin <= card.second_at < end
        question = questions.get(card.question)
        if question is None:
            retired += 1
        elif card.suspended:
            suspended += 1
        else:
            item = _due(card, question, limit.retention)
            (due if item.at < end else ahead).append(item)
    due.sort(key=_soonest)
    ahead.sort(key=_soonest)
    cap = max(0, limit.cap - reviewed)
    chosen = _within(due, cap, max(0, limit.new - begun))
    ids = {item.question for item in chosen}
    held = tuple(item for item in due if item.question not in ids)
    at_cap = bool(held) and len(chosen) == cap
    return Queue(tuple(chosen), tuple(ahead), held, at_cap, suspended, retired)


def _due(card: Card, question: ReviewQuestion, retention: float) -> Due:
    if card.version < question.version:
        return Due(card.question, question.lesson, card.last_at, card.answers < 2, CHANGED)
    return Due(card.question, question.lesson, due_at(card, retention), card.answers < 2)


def _soonest(item: Due) -> tuple[float, str]:
    return item.at, item.question


def _within(due: Iterable[Due], cap: int, new: int) -> list[Due]:
    chosen: list[Due] = []
    for item in due:
        if len(chosen) == cap:
            break
        if item.new and new == 0:
            continue
        new -= item.new
        chosen.append(item)
    return chosen


# --- how well answers are remembered -------------------------------------------------------------


def forecast(
    state: LearnerState,
    questions: Mapping[str, ReviewQuestion],
    now: float,
    days: int = 14,
    *,
    retention: float,
) -> tuple[int, ...]:
    """Return how many questions are due on each of the next `days` days, starting today.

    The number for today includes overdue questions. The forecast assumes that the learner answers
    no further questions.
    """
    ends = midnights(now, days)[1:]
    counts = [0] * days
    for card in _current(state, questions):
        at = _due(card, questions[card.question], retention).at
        day = next((number for number, end in enumerate(ends) if at < end), None)
        if day is not None:
            counts[day] += 1
    return tuple(counts)


def exceeds_limits(
    state: LearnerState,
    questions: Mapping[str, ReviewQuestion],
    now: float,
    days: int,
    limit: Limits,
) -> bool:
    """Return True if the limits hold back some questions on one of the next `days` days."""
    first = {key: card for key, card in state.cards.items() if card.answers < 2}
    of_first = msgspec.structs.replace(state, cards=first)
    return any(
        max(forecast(some, questions, now, days, retention=limit.retention)) > most
        for some, most in ((state, limit.cap), (of_first, limit.new))
    )


def due_on(
    state: LearnerState, questions: Mapping[str, ReviewQuestion], day: float, limit: Limits
) -> Queue:
    """Return the review queue on a later day, of the questions that are due on that day.

    `day` is any time on that day. Like the forecast, the queue assumes that the learner answers no
    further questions. Questions that are due on earlier days are left out.
    """
    begin, end = midnights(day, 1)
    due = {
        card.question: card
        for card in _current(state, questions)
        if begin <= _due(card, questions[card.question], limit.retention).at < end
    }
    return queue(msgspec.structs.replace(state, cards=due), questions, begin, limit)


class Memory(msgspec.Struct, frozen=True):
    """Figures about how well the learner remembers the answers to a group of questions.

    - `questions`: the number of questions in the group
    - `answered`: the number of questions whose current version the learner has answered
    - `recall`: the mean probability (0 to 1) of a right answer now
    - `strength`: the median number of days until the probability of recall falls to 90 %
    - `mastery`: recall and strength combined in one figure (0 to 1), for class reports

    The last three figures include only answered questions that are not suspended. `recall` and
    `strength` are None if there are no such questions.
    """

    questions: int
    answered: int
    recall: float | None = None
    strength: float | None = None
    mastery: float = 0.0


Key = TypeVar("Key")


def memory(state: LearnerState, questions: Mapping[str, ReviewQuestion], now: float) -> Memory:
    """Return how well the learner remembers all questions of the course."""
    of_all = _memory(state, questions, now, lambda question: "")
    return of_all.get("", Memory(0, 0))


def memory_of_lessons(
    state: LearnerState, questions: Mapping[str, ReviewQuestion], now: float
) -> dict[str, Memory]:
    """Return how well the learner remembers the questions of each lesson, by lesson id.

    Lessons without questions are left out.
    """
    return _memory(state, questions, now, lambda question: question.lesson)


def memory_of_screens(
    state: LearnerState, questions: Mapping[str, ReviewQuestion], now: float
) -> dict[tuple[str, str], Memory]:
    """Return how well the learner remembers the questions of each screen.

    The keys are a lesson id and a screen id. A screen covers one idea. Screens without questions,
    and questions without a screen, are left out.
    """
    placed = {key: question for key, question in questions.items() if question.screen}
    return _memory(state, placed, now, lambda question: (question.lesson, question.screen))


def _memory(
    state: LearnerState,
    questions: Mapping[str, ReviewQuestion],
    now: float,
    group: Callable[[ReviewQuestion], Key],
) -> dict[Key, Memory]:
    """Return how well the learner remembers each group of questions.

    Questions without an answer don't lower the figures, because they don't show what the learner
    remembers. The same is true for answers to an older version of a question.
    """
    counts = Counter(group(question) for question in questions.values())
    answers: dict[Key, list[Card]] = {key: [] for key in counts}
    for question in questions.values():
        card = state.cards.get(question.question)
        if card is not None and card.version == question.version:
            answers[group(question)].append(card)
    return {key: _remembered(counts[key], cards, now) for key, cards in answers.items()}


def _remembered(questions: int, answered: Sequence[Card], now: float) -> Memory:
    cards = [card for card in answered if not card.suspended]
    if not cards:
        return Memory(questions, len(answered))
    from statistics import fmean, median  # A new learner's first screen doesn't need this import.

    return Memory(
        questions,
        len(answered),
        recall=fmean(recall(card, now) for card in cards),
        strength=median(card.stability or 0.0 for card in cards),
        mastery=fmean(known(card, now) for card in cards),
    )


def known(card: Card, now: float) -> float:
    """Return the mastery of one question, from 0 to 1.

    This is the probability of a right answer now. If the stability is below three weeks, the
    probability is multiplied by the stability divided by three weeks.
    """
    return recall(card, now) * min(1.0, (card.stability or 0.0) / MATURE)


def streak(state: LearnerState, now: float) -> int:
    """Return the number of consecutive days with an answer, up to today or yesterday."""
    return days.streak(state.days, local_day_number(now))


def _current(state: LearnerState, questions: Mapping[str, ReviewQuestion]) -> Iterable[Card]:
    """Return the cards of questions that are in the course and not suspended."""
    return (
        card for card in state.cards.values() if card.question in questions and not card.suspended
    )
