"""The state of a learner, and the functions that update it with events such as answers.

The same events always produce the same state, regardless of their order in the log and of the
machines they come from. There is one exception: the review schedule can be fitted to the
learner, and its parameters then also determine the state.

`fold` applies events one by one. If an event is older than an event that was already applied,
`fold` cannot correctly update the card of the question that the event is about. Instead, it adds
the question to `stale`, and the card is later rebuilt from all events, sorted by `in_order`.

The learner's positions in lessons and the settings are not events and are stored separately.
"""

from bisect import insort
from collections.abc import Iterable, Mapping

import msgspec

from tutor.learner.clock import day_number
from tutor.learner.days import Days, with_day
from tutor.learner.records import (
    GUESS_CONTEXT,
    RECENT_GUESSES,
    Answered,
    Card,
    Draft,
    Forgotten,
    GoalReached,
    Guessed,
    GuessHistory,
    LabDone,
    LessonRead,
    LessonState,
    LogEvent,
    LogMark,
    Predicted,
    Setting,
    Suspended,
    Suspension,
    Undo,
    Undone,
)
from tutor.learner.schedule import grade, parameters_in, scheduled

UNKNOWN_ANSWER = "?"
"""The placeholder for an answer whose text is missing from the log."""

_BIT_PARTS = 2.0**20
"""The resolution of stored surprisals, which are rounded to multiples of 1/`_BIT_PARTS` bit.

Sums of rounded values are exact and don't depend on the order of the events.
"""


class LearnerState(msgspec.Struct, frozen=True):
    """The state of a learner. Its size is bounded: one entry per question, lesson and setting."""

    cards: Mapping[str, Card] = msgspec.field(default_factory=dict)
    lessons: Mapping[str, LessonState] = msgspec.field(default_factory=dict)
    guesses: GuessHistory = GuessHistory()
    settings: Mapping[str, Setting] = msgspec.field(default_factory=dict)
    forgotten: Mapping[str, float] = msgspec.field(default_factory=dict)
    """For each question that was reset, the time up to which its answers don't count."""
    suspensions: Mapping[str, Suspension] = msgspec.field(default_factory=dict)
    """The latest suspension of each question that was ever suspended, by question id."""
    drafts: Mapping[str, Draft] = msgspec.field(default_factory=dict)
    """The answers that the learner has entered in reviews but not submitted, by question id."""
    days: Days = Days()
    undo: Undo = Undo()
    mark: LogMark = LogMark()
    stale: frozenset[str] = frozenset()
    """The questions whose cards must be rebuilt from all of their events.

    This field is never stored.
    """

    def lesson(self, lesson_id: str) -> LessonState:
        """Return the learner's progress in a lesson, or an empty state if there is none."""
        return self.lessons.get(lesson_id) or LessonState(lesson=lesson_id)


def in_order(events: Iterable[LogEvent]) -> list[LogEvent]:
    """Return each event once, with the earliest first, and without answers that were undone."""
    known: dict[str, LogEvent] = {}
    nameless: list[LogEvent] = []
    undone: set[str] = set()
    for event in events:
        if isinstance(event, Undone):
            undone.add(event.answer)
        elif event.id:
            known.setdefault(event.id, event)
        else:
            nameless.append(event)
    kept = (event for key, event in known.items() if key not in undone)
    return sorted((*kept, *nameless), key=lambda event: (event.at, event.id))


def fold(state: LearnerState, events: Iterable[LogEvent]) -> LearnerState:
    """Return `state` after applying `events` in the given order."""
    after = _Folding(state)
    for event in events:
        match event:
            case Answered():
                after.answer(event)
            case Undone():
                after.take_back(event)
            case Suspended():
                after.suspend(event)
            case Forgotten():
                after.forget(event)
            case LabDone() | GoalReached() | Predicted() | LessonRead():
                lesson = after.lessons.get(event.lesson) or LessonState(lesson=event.lesson)
                after.lessons[event.lesson] = after_progress(lesson, event)
            case Guessed():
                after.guesses = after_guess(after.guesses, event)
    return after.state()


class _Folding:
    """A mutable copy of a state, to which `fold` applies events."""

    def __init__(self, state: LearnerState) -> None:
        self._before = state
        self.cards, self.lessons = dict(state.cards), dict(state.lessons)
        self.guesses, self.days, self.undo = state.guesses, state.days, state.undo
        self.forgotten, self.suspensions = dict(state.forgotten), dict(state.suspensions)
        self.drafts = dict(state.drafts)
        self.stale = set(state.stale)
        self._parameters = parameters_in(state.settings)

    def state(self) -> LearnerState:
        return msgspec.structs.replace(
            self._before,
            cards=self.cards,
            lessons=self.lessons,
            guesses=self.guesses,
            days=self.days,
            undo=self.undo,
            forgotten=self.forgotten,
            suspensions=self.suspensions,
            drafts=self.drafts,
            stale=frozenset(self.stale),
        )

    def answer(self, event: Answered) -> None:
        self.days = with_day(self.days, day_number(event.at, event.zone))
        name = event.question
        self.drafts.pop(name, None)
        if (lesson := self.lessons.get(event.lesson)) and lesson.question == name:
            answer = event.answer or UNKNOWN_ANSWER
            self.lessons[event.lesson] = msgspec.structs.replace(lesson, answer=answer)
        if name in self.forgotten and event.at <= self.forgotten[name]:
            return
        card = self.cards.get(name)
        if card is not None and (event.at, event.id) < (card.last_at, card.last_answer):
            self.stale.add(name)
        after = after_answer(card, event, self._parameters)
        if after is not card:
            self._put(after)
            self.undo = Undo(question=name, answer=event.id, before=card)
        else:  # The card in `undo` does not include this answer.
            self._cannot_undo(name)

    def take_back(self, event: Undone) -> None:
        name = event.question
        card = self.cards.get(name)
        if event.answer and event.answer == self.undo.answer and card is not None:
            if self.undo.before is None:
                del self.cards[name]
            else:
                self._put(self.undo.before)
            self.undo = Undo()
        else:
            self.stale.add(name)
            self._cannot_undo(name)
        for key, lesson in self.lessons.items():
            if lesson.question == name and lesson.answer:
                self.lessons[key] = msgspec.structs.replace(lesson, answer="")

    def _cannot_undo(self, question: str) -> None:
        if self.undo.question == question:
            self.undo = Undo()

    def suspend(self, event: Suspended) -> None:
        name, new = event.question, Suspension(event.at, event.suspended)
        self.suspensions[name] = max(new, self.suspensions.get(name, new))
        if (card := self.cards.get(name)) is not None:
            self._put(card)

    def _put(self, card: Card) -> None:
        suspension = self.suspensions.get(card.question)
        suspended = suspension is not None and suspension.suspended
        if card.suspended != suspended:
            card = msgspec.structs.replace(card, suspended=suspended)
        self.cards[card.question] = card

    def forget(self, event: Forgotten) -> None:
        for name in event.questions:
            self.drafts.pop(name, None)
            self.forgotten[name] = max(event.at, self.forgotten.get(name, event.at))
            card = self.cards.get(name)
            if card is None:
                continue
            self._cannot_undo(name)
            # Answers to an older version of the question were ignored, but may count now.
            self.stale.add(name)
            if card.last_at <= event.at:
                del self.cards[name]


def after_answer(card: Card | None, event: Answered, parameters: str = "") -> Card:
    """Return the card after an answer, scheduled with FSRS's `parameters` (see `scheduled`).

    If the answer is to a newer version of the question, the counts and the schedule start over. An
    answer to an older version is ignored.
    """
    if card is not None and event.version < card.version:
        return card
    known = card if card is not None and card.version == event.version else None
    second_at = known.second_at or event.at if known else 0.0
    after = Card(
        question=event.question,
        version=event.version,
        lesson=event.lesson,
        answers=(known.answers if known else 0) + 1,
        correct=(known.correct if known else 0) + event.correct,
        last_correct=event.correct,
        last_at=event.at,
        last_answer=event.id,
        second_at=second_at,
    )
    return scheduled(known, after, grade(event), parameters)


def after_progress(
    lesson: LessonState, event: LabDone | GoalReached | Predicted | LessonRead
) -> LessonState:
    """Return `lesson` with the new achievements added. No achievement is listed twice."""
    lesson = msgspec.structs.replace(lesson, visited_at=max(lesson.visited_at, event.at))
    match event:
        case LabDone(lab=lab):
            return msgspec.structs.replace(lesson, labs_done=_with(lesson.labs_done, lab))
        case GoalReached(lab=lab, goal=goal):
            reached = _with(lesson.goals_reached.get(lab, ()), goal)
            return msgspec.structs.replace(
                lesson, goals_reached={**lesson.goals_reached, lab: reached}
            )
        case Predicted():
            return _after_prediction(lesson, event)
    return msgspec.structs.replace(lesson, read=True)


def _after_prediction(lesson: LessonState, event: Predicted) -> LessonState:
    entered = lesson.prediction_draft
    return msgspec.structs.replace(
        lesson,
        predictions=first_predictions(lesson.predictions, {event.prediction: event}),
        prediction_draft=None if entered and entered.prediction == event.prediction else entered,
    )


def first_predictions(*sources: Mapping[str, Predicted]) -> dict[str, Predicted]:
    """Return all predictions in `sources` by id. The earliest prediction for an id counts."""
    first: dict[str, Predicted] = {}
    for source in sources:
        for name, made in source.items():
            other = first.setdefault(name, made)
            if (made.at, made.id) < (other.at, other.id):
                first[name] = made
    return first


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else tuple(sorted((*names, name)))


def after_guess(guesses: GuessHistory, event: Guessed) -> GuessHistory:
    recent = list(guesses.recent)
    short = msgspec.structs.replace(event, text=event.text[-GUESS_CONTEXT:])
    insort(recent, short, key=lambda guess: (guess.at, guess.id))
    return GuessHistory(
        rounds=guesses.rounds + 1,
        learner_bits=guesses.learner_bits + _exact(event.learner_bits),
        model_bits=guesses.model_bits + _exact(event.model_bits),
        recent=tuple(recent[-RECENT_GUESSES:]),
    )


def _exact(bits: float) -> float:
    return round(bits * _BIT_PARTS) / _BIT_PARTS


def with_draft(state: LearnerState, question: str, draft: Draft | None) -> LearnerState:
    """Return `state` with a new draft answer to a review question.

    If `draft` is None, the draft is removed.
    """
    drafts = {key: kept for key, kept in state.drafts.items() if key != question}
    if draft is not None:
        drafts[question] = draft
    return msgspec.structs.replace(state, drafts=drafts)


def place(state: LearnerState, lesson: LessonState) -> LearnerState:
    """Return `state` with the learner's position in one lesson replaced.

    Fields that depend on the log (`read`, labs, goals and predictions) stay unchanged. Screens that
    the learner has seen in another session are kept.
    """
    known = state.lesson(lesson.lesson)
    merged = msgspec.structs.replace(
        lesson,
        seen=tuple(dict.fromkeys((*known.seen, *lesson.seen))),
        read=known.read,
        labs_done=known.labs_done,
        goals_reached=known.goals_reached,
        predictions=known.predictions,
    )
    return msgspec.structs.replace(state, lessons={**state.lessons, lesson.lesson: merged})
