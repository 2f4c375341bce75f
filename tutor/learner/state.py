"""What is known of a learner at one moment, and how an event changes it.

`fold` is pure: the same log gives the same state, on any machine, however often it was
interrupted. Positions in lessons and settings are not events; they are kept beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from tinydb.table import Document, Table

from tutor.learner.records import (
    GUESS_CONTEXT,
    RECENT_GUESSES,
    Answered,
    Card,
    GoalReached,
    Guessed,
    GuessHistory,
    LabDone,
    LessonRead,
    LessonState,
    LogEvent,
    LogMark,
    Setting,
)
from tutor.learner.schema import Tables

if TYPE_CHECKING:
    from tinydb import TinyDB

Record = TypeVar("Record")

UNKNOWN_ANSWER = "?"
"""Stands for an answer whose words the log does not have."""


class LearnerState(msgspec.Struct, frozen=True):
    """Bounded: one card for each question, one entry for each lesson and setting."""

    cards: Mapping[str, Card] = msgspec.field(default_factory=dict)
    lessons: Mapping[str, LessonState] = msgspec.field(default_factory=dict)
    guesses: GuessHistory = GuessHistory()
    settings: Mapping[str, Setting] = msgspec.field(default_factory=dict)
    mark: LogMark = LogMark()


# --- events -------------------------------------------------------------------------------------


def fold(state: LearnerState, events: Iterable[LogEvent]) -> LearnerState:
    """`state` after `events`, in the order of the log."""
    cards, lessons, guesses = dict(state.cards), dict(state.lessons), state.guesses
    for event in events:
        match event:
            case Answered():
                cards[event.question] = after_answer(cards.get(event.question), event)
                if (lesson := lessons.get(event.lesson)) and lesson.question == event.question:
                    answer = event.answer or UNKNOWN_ANSWER
                    lessons[event.lesson] = msgspec.structs.replace(lesson, answer=answer)
            case LabDone() | GoalReached() | LessonRead():
                lesson = lessons.get(event.lesson) or LessonState(lesson=event.lesson)
                lessons[event.lesson] = after_progress(lesson, event)
            case Guessed():
                guesses = after_guess(guesses, event)
    return msgspec.structs.replace(state, cards=cards, lessons=lessons, guesses=guesses)


def after_answer(card: Card | None, event: Answered) -> Card:
    """A higher version of a question is another question: its counts begin again. An answer to an
    older version than the card's says nothing about the new one."""
    if card is not None and event.version < card.version:
        return card
    known = card if card is not None and card.version == event.version else None
    return Card(
        question=event.question,
        version=event.version,
        lesson=event.lesson,
        answers=(known.answers if known else 0) + 1,
        correct=(known.correct if known else 0) + event.correct,
        last_correct=event.correct,
        last_at=event.at,
    )


def after_progress(lesson: LessonState, event: LabDone | GoalReached | LessonRead) -> LessonState:
    """`lesson` with what was brought about in it, each thing once."""
    lesson = msgspec.structs.replace(lesson, visited_at=max(lesson.visited_at, event.at))
    match event:
        case LabDone(lab=lab):
            return msgspec.structs.replace(lesson, labs_done=_with(lesson.labs_done, lab))
        case GoalReached(lab=lab, goal=goal):
            reached = _with(lesson.goals_reached.get(lab, ()), goal)
            return msgspec.structs.replace(
                lesson, goals_reached={**lesson.goals_reached, lab: reached}
            )
    return msgspec.structs.replace(lesson, read=True)


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)


def after_guess(guesses: GuessHistory, event: Guessed) -> GuessHistory:
    short = msgspec.structs.replace(event, text=event.text[-GUESS_CONTEXT:])
    return GuessHistory(
        rounds=guesses.rounds + 1,
        learner_bits=guesses.learner_bits + event.learner_bits,
        model_bits=guesses.model_bits + event.model_bits,
        recent=(*guesses.recent, short)[-RECENT_GUESSES:],
    )


def place(state: LearnerState, lesson: LessonState) -> LearnerState:
    """`state` with the learner's place in one lesson. What the log decides (`read`, labs and
    goals) stays as it is, and screens seen in another session stay seen."""
    known = state.lessons.get(lesson.lesson) or LessonState(lesson=lesson.lesson)
    merged = msgspec.structs.replace(
        lesson,
        seen=tuple(dict.fromkeys((*known.seen, *lesson.seen))),
        read=known.read,
        labs_done=known.labs_done,
        goals_reached=known.goals_reached,
    )
    return msgspec.structs.replace(state, lessons={**state.lessons, lesson.lesson: merged})


# --- documents ----------------------------------------------------------------------------------


class ById(Table):
    """A table whose document ids are our own ids, so that TinyDB never has to find a free one."""

    document_id_class = str  # type: ignore[assignment]  # declared as int, works with any type


def from_tables(tables: Tables) -> tuple[LearnerState, int]:
    """The state in `tables`, and how many of its entries cannot be understood. Those are left out
    here and stay in the file."""
    left_out = 0

    def records(name: str, kind: type[Record]) -> dict[str, Record]:
        nonlocal left_out
        found = {}
        for key, document in tables.get(name, {}).items():
            try:
                found[key] = msgspec.convert(document, kind)
            except msgspec.ValidationError:
                left_out += 1
        return found

    state = LearnerState(
        cards=records("cards", Card),
        lessons=records("lessons", LessonState),
        guesses=records("guesses", GuessHistory).get("all", GuessHistory()),
        settings={key: held.value for key, held in records("settings", Held).items()},
        mark=records("log", LogMark).get("mark", LogMark()),
    )
    return state, left_out


class Held(msgspec.Struct, frozen=True):
    """A setting as a document."""

    value: Setting


def write_changes(database: TinyDB, before: LearnerState, after: LearnerState) -> None:
    """Store the records of `after` that are not those of `before`, from which it was made."""
    _upsert(database, "cards", before.cards, after.cards)
    _upsert(database, "lessons", before.lessons, after.lessons)
    _upsert(database, "guesses", {"all": before.guesses}, {"all": after.guesses})
    _upsert(database, "log", {"mark": before.mark}, {"mark": after.mark})
    changed = {
        key: Held(value)
        for key, value in after.settings.items()
        if key not in before.settings or before.settings[key] != value
    }
    _upsert(database, "settings", {}, changed)


def _upsert(
    database: TinyDB, name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    # A mutation costs TinyDB a pass over the whole table: one for all new documents together, which
    # after a rebuild are all there are, and one for each changed document, usually a single one.
    table = ById(database.storage, name, cache_size=0)
    new: list[Document] = []
    known: list[Document] = []
    for key, record in after.items():
        if before.get(key) is not record:
            document = Document(msgspec.to_builtins(record), doc_id=key)  # type: ignore[arg-type]
            (known if table.contains(doc_id=key) else new).append(document)  # type: ignore[arg-type]
    if new:
        table.insert_multiple(new)
    for document in known:
        table.upsert(document)
