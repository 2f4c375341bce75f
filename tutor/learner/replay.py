"""Brings a state up to date with the review log."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tutor.errors import StoreRepaired
from tutor.learner import notices
from tutor.learner.records import LogEvent, LogMark
from tutor.learner.review_log import Line, ReviewLog
from tutor.learner.state import LearnerState, fold


def catch_up(state: LearnerState, log: ReviewLog) -> tuple[LearnerState, list[StoreRepaired]]:
    """`state` after the events that `log` has beyond `state.mark`, and what to tell the learner.

    Reads only what is new, whatever the length of the log. Raises `StoreError` when the log
    cannot be read.
    """
    found: list[StoreRepaired] = []
    if log.contains(state.mark):
        state = _retry_skipped(state, log)
    else:
        # The state knows more than this log: reading it from the beginning would lose that, and
        # going on from its end loses nothing.
        found.append(notices.log_replaced(log.path))
        state = msgspec.structs.replace(state, mark=_mark_at_end(log))
    mark, damaged = state.mark, 0

    def events() -> Iterator[LogEvent]:
        nonlocal mark, damaged
        skipped: list[int] = []
        for line in log.read(mark.end):
            mark = _after(line, mark)
            damaged += line.damaged
            if line.unknown:
                skipped.append(line.start)
            if line.event is not None:
                yield line.event
        mark = msgspec.structs.replace(mark, skipped=(*mark.skipped, *skipped))

    state = fold(state, events())
    if damaged:
        found.append(notices.log_damaged(log.path, damaged))
    return msgspec.structs.replace(state, mark=mark), found


def _retry_skipped(state: LearnerState, log: ReviewLog) -> LearnerState:
    """Count now what an older program wrote the mark past without understanding it."""
    if not state.mark.skipped:
        return state
    lines = [next(log.read(start)) for start in state.mark.skipped]
    still = tuple(line.start for line in lines if line.unknown)
    state = fold(state, (line.event for line in lines if line.event is not None))
    return msgspec.structs.replace(state, mark=msgspec.structs.replace(state.mark, skipped=still))


def _mark_at_end(log: ReviewLog) -> LogMark:
    mark = LogMark()
    for line in log.read():
        mark = _after(line, mark)
    return mark


def _after(line: Line, mark: LogMark) -> LogMark:
    return LogMark(start=line.start, end=line.end, checksum=line.checksum, skipped=mark.skipped)
