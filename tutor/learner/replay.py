"""Update the state with new events from the review log."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import islice

import msgspec

from tutor.learner import notices
from tutor.learner.clock import day_number
from tutor.learner.days import with_day
from tutor.learner.errors import StoreRepaired
from tutor.learner.log_lines import Line
from tutor.learner.records import (
    Answered,
    Card,
    Forgotten,
    Imported,
    LessonState,
    LogEvent,
    LogMark,
    Suspended,
    Undo,
    Undone,
)
from tutor.learner.review_log import ReviewLog
from tutor.learner.schedule import parameters_in
from tutor.learner.state import LearnerState, first_predictions, fold, in_order


def catch_up(
    state: LearnerState, log: ReviewLog, *, rebuild: bool = False
) -> tuple[LearnerState, list[StoreRepaired]]:
    """Return `state` updated with the new events in `log`, and notices for the learner.

    New events are the events after `state.mark`, and normally only they are read. If `rebuild` is
    set, or if a new event is older than an applied one, all events are read and applied again,
    unless the state includes events that are missing from the log.
    Raises `StoreError` if the log cannot be read.
    """
    found: list[StoreRepaired] = []
    if log.contains(state.mark):
        state = _retry_skipped(state, log)
    else:
        # The state includes more events than this log, so rebuilding it from the log would lose
        # some of them. Continuing from the end of the log loses none.
        found.append(notices.log_replaced(log.path))
        mark = msgspec.structs.replace(_mark_at_end(log), partial=True)
        state = msgspec.structs.replace(state, mark=mark)
    fitted = parameters_in(state.settings)
    before, mark, damaged = state, msgspec.structs.replace(state.mark, fitted=fitted), False
    rebuild = rebuild and not mark.partial
    if fitted != state.mark.fitted and not (mark.partial or mark.outdated):
        # All schedules depend on the parameters. A partial state can't be rebuilt from the log, and
        # the schedules of an outdated state are computed below.
        rebuild = True
    events: list[LogEvent] = []
    skipped: list[int] = []
    for line in log.read(mark.end):
        mark = _after(line, mark)
        damaged = damaged or line.damaged
        if line.unknown:
            skipped.append(line.start)
        if line.event is not None:
            events.append(line.event)
    cards = () if mark.partial else state.cards.values()
    if damaged and (lost := log.lost(state.mark.end, cards)):
        found.append(notices.log_damaged(log.path, lost))
    mark = msgspec.structs.replace(mark, skipped=(*mark.skipped, *skipped))
    own = _own(events)
    if not rebuild:
        state = fold(state, events if mark.partial else own)
    state = msgspec.structs.replace(state, mark=mark)
    if rebuild:
        state = _rebuilt(state, _all_events(log))
    elif mark.outdated:
        state = _with_schedules(state, before, log)
    elif len(own) < len(events) and not mark.partial:
        state = _rebuilt(state, _all_events(log))
    elif state.stale and not mark.partial:
        state = _refreshed(state, log)
    return msgspec.structs.replace(state, stale=frozenset()), found


def _own(events: list[LogEvent]) -> list[LogEvent]:
    """Return all events except imported ones, in the order of the log."""
    own: list[LogEvent] = []
    imported = 0
    for event in events:
        if isinstance(event, Imported):
            imported = event.count
        elif imported > 0:
            imported -= 1
        else:
            own.append(event)
    return own


def _retry_skipped(state: LearnerState, log: ReviewLog) -> LearnerState:
    """Apply the events that an older version skipped because it could not interpret them."""
    if not state.mark.skipped:
        return state
    size = log.size()
    starts = [start for start in state.mark.skipped if start < size]
    lines = [line for start in starts for line in islice(log.read(start), 1)]
    still = tuple(line.start for line in lines if line.unknown)
    state = fold(state, (line.event for line in lines if line.event is not None))
    return msgspec.structs.replace(state, mark=msgspec.structs.replace(state.mark, skipped=still))


def _mark_at_end(log: ReviewLog) -> LogMark:
    mark = LogMark()
    for line in log.read():
        mark = _after(line, mark)
    return mark


def _after(line: Line, mark: LogMark) -> LogMark:
    return msgspec.structs.replace(mark, start=line.start, end=line.end, checksum=line.checksum)


# --- from all events ----------------------------------------------------------------------------


def _all_events(log: ReviewLog) -> list[LogEvent]:
    return [line.event for line in log.read() if line.event is not None]


def _rebuilt(state: LearnerState, events: list[LogEvent]) -> LearnerState:
    """Return `state`, with everything that depends on events recomputed from `events`."""
    made = fold(LearnerState(settings=state.settings), in_order(events))
    # An answer counts for the streak of days even if it was undone.
    answers = (event for event in events if isinstance(event, Answered))
    days = reduce(with_day, (day_number(event.at, event.zone) for event in answers), made.days)
    return msgspec.structs.replace(
        made,
        cards=_with_lost_answers(made.cards, state, events),
        days=days,
        undo=Undo(),
        drafts=state.drafts,
        mark=state.mark,
        lessons={
            key: _with_place(made.lessons.get(key), state.lessons.get(key))
            for key in (*state.lessons, *(set(made.lessons) - set(state.lessons)))
        },
    )


def _with_lost_answers(
    made: Mapping[str, Card], state: LearnerState, events: Iterable[LogEvent]
) -> dict[str, Card]:
    """Return the cards `made` from `events`, and those whose last answer is no longer in the log.

    An answer that was lost from the log still counts, because `state` includes it.
    """
    known = {event.id for event in events}
    lost = {
        key: card
        for key, card in state.cards.items()
        if card.last_answer and card.last_answer not in known
    }
    later = {key for key, card in lost.items() if key in made and made[key].last_at > card.last_at}
    return {**made, **{key: card for key, card in lost.items() if key not in later}}


def _with_place(made: LessonState | None, known: LessonState | None) -> LessonState:
    """Merge a lesson's progress from the events (`made`) with its stored progress (`known`)."""
    if made is None or known is None:
        return made or known or LessonState(lesson="")
    goals = {
        lab: tuple(sorted({*known.goals_reached.get(lab, ()), *made.goals_reached.get(lab, ())}))
        for lab in {**known.goals_reached, **made.goals_reached}
    }
    return msgspec.structs.replace(
        known,
        read=known.read or made.read,
        labs_done=tuple(sorted({*known.labs_done, *made.labs_done})),
        goals_reached=goals,
        predictions=first_predictions(known.predictions, made.predictions),
        visited_at=max(known.visited_at, made.visited_at),
    )


def _refreshed(state: LearnerState, log: ReviewLog) -> LearnerState:
    """Return `state` with all stale cards rebuilt from all of their events."""
    events = (event for event in _all_events(log) if _questions(event) & state.stale)
    made = fold(LearnerState(settings=state.settings), in_order(events)).cards
    cards = {key: card for key, card in state.cards.items() if key not in state.stale}
    cards |= {key: made[key] for key in state.stale if key in made}
    undo = Undo() if state.undo.question in state.stale else state.undo
    return msgspec.structs.replace(state, cards=cards, undo=undo)


def _questions(event: LogEvent) -> set[str]:
    match event:
        case Answered() | Undone() | Suspended():
            return {event.question}
        case Forgotten():
            return set(event.questions)
    return set()


def _with_schedules(state: LearnerState, before: LearnerState, log: ReviewLog) -> LearnerState:
    """Return `state` rebuilt from the log, with review schedules.

    `before` is the state that an old version, without schedules, computed from the log up to
    `before.mark`. If the log was ever lost, it contains fewer answers than `before`. The missing
    answers are then added to the counts of answers.
    """
    lines = list(log.read())
    made = _rebuilt(state, [line.event for line in lines if line.event is not None])
    read = [line.event for line in lines if line.end <= before.mark.end]
    answers = Counter((e.question, e.version) for e in read if isinstance(e, Answered))
    cards, lost = dict(made.cards), False
    for key, old in before.cards.items():
        missing = old.answers - answers[key, old.version]
        new = cards.get(key, old)
        if missing > 0 and new.version == old.version:
            lost = True
            more = missing if key in cards else 0
            cards[key] = msgspec.structs.replace(new, answers=new.answers + more)
    guesses = made.guesses
    if guesses.rounds < state.guesses.rounds:
        lost, guesses = True, state.guesses
    mark = msgspec.structs.replace(state.mark, outdated=False, partial=state.mark.partial or lost)
    return msgspec.structs.replace(made, cards=cards, guesses=guesses, mark=mark)
