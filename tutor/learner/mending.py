"""Restore a complete log from two copies of it, even if both are truncated or damaged.

If a line is damaged in both copies, many combinations of the two damaged lines are tried until the
checksum matches. If none matches, `lost` names the lost answer if the line or the learner's cards
still show which question it belonged to.
"""

import hashlib
import io
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import datetime
from itertools import chain, groupby, product
from math import inf

from tutor.learner.log_lines import (
    BEGINNING,
    UNFINISHED,
    Line,
    corrected,
    damaged_runs,
    encode,
    is_damaged,
    lines_in,
)
from tutor.learner.records import Card, Imported, LogEvent
from tutor.text import safe

_MOST_CHOICES = 14
"""The maximum number of differences between two damaged copies of a line.

For n differences, 2^n combinations are tried.
"""
_MOST_TRIES = 100_000
"""The maximum number of combinations to try for all lines together. They take about a second."""
_QUESTION = re.compile(rb'"question":"([^"\\]{1,80})"')
_ID = re.compile(rb'"id":"([^"\\]{1,80})"')
_TIME = re.compile(rb'"at":(\d{1,11})[.,]')
_KIND = re.compile(rb'"event":"([a-z-]{1,20})"')


def mended(log: bytes, copy: bytes) -> bytes:
    """Return `log` plus the lines that are intact only in `copy`.

    If `copy` is intact and has all intact lines of `log`, the result is `copy`. Otherwise, intact
    lines of `log` keep their positions, and a line from `copy` is inserted at its own position. If
    `log` has a different intact line there, the line from `copy` is appended as if it had been
    imported from another machine. A line that is damaged in both files is repaired if possible.
    Otherwise, it is included as it is.
    """
    log, copy = _with_last_newline(log), _with_last_newline(copy)
    ours = [line for line in lines_in(log) if line.sound]
    known = {_name(line, log) for line in ours}
    theirs = [] if log.startswith(copy) else lines_in(copy)
    intact = theirs and not any(line.damaged for line in theirs)
    if intact and known.issubset(_name(line, copy) for line in theirs):
        return copy
    whole, homeless = bytearray(log), list[Line]()
    for line in theirs:
        if _name(line, copy) in known or (line.damaged and line.end <= len(log)):
            continue
        if line.start <= len(whole) and _is_free(line, ours):
            begin = max(0, line.start - 1)  # with the newline before it
            whole[begin : line.end] = copy[begin : line.end]
        elif line.sound:
            homeless.append(line)
    _repair_lines(whole, copy, known)
    found = bytes(whole)
    known = {_name(line, found) for line in lines_in(found)}
    homeless = [line for line in homeless if _name(line, copy) not in known]
    return found + _appended(homeless, copy, torn=not found.endswith(b"\n"))


def _with_last_newline(data: bytes) -> bytes:
    tail = data.rfind(b"\n") + 1
    return data[:tail] + corrected(data[tail:])


def _name(line: Line, data: bytes) -> str | bytes:
    """Return a key that identifies the event in `line`, wherever the line is in the log."""
    return line.event.id if line.event else data[line.start : line.end]


def _is_free(line: Line, ours: Sequence[Line]) -> bool:
    """Return True if none of the intact lines in `ours` is at the position of `line`."""
    after = bisect_left(ours, line.start, key=lambda each: each.start)
    follows = after == 0 or ours[after - 1].end <= line.start
    return follows and (after == len(ours) or line.end <= ours[after].start)


def _appended(lines: list[Line], data: bytes, torn: bool) -> bytes:
    events = [line.event for line in lines if line.event and not isinstance(line.event, Imported)]
    unknown = [data[line.start : line.end] for line in lines if line.unknown]
    if not events and not unknown:
        return b""
    parts = [UNFINISHED] if torn else []
    if events:
        parts += [encode(_mark_of(events)), *map(encode, events)]
    return b"".join(parts + unknown)


def _mark_of(events: Sequence[LogEvent]) -> Imported:
    """Return an import marker whose id is computed from the ids of `events`.

    Repairing the same files twice therefore gives the same log.
    """
    names = "\n".join(event.id for event in events).encode()
    id_ = hashlib.blake2b(names, digest_size=16).hexdigest()
    return Imported(at=events[0].at, id=id_, count=len(events))


# --- lines that are damaged in both copies --------------------------------------------------------


def _repair_lines(whole: bytearray, copy: bytes, known: Set[str | bytes]) -> None:
    """Repair the lines of `whole` that are still damaged, except for events in `known`."""
    tries = iter(range(_MOST_TRIES))
    start = 0
    for line in io.BytesIO(bytes(whole)):
        end = start + len(line)
        found = _repaired(line, copy[start:end], tries) if is_damaged(line) else None
        if found and known.isdisjoint(_name(each, found) for each in lines_in(found)):
            whole[start:end] = found
        start = end


def _repaired(line: bytes, other: bytes, tries: Iterator[int]) -> bytes | None:
    """Return the intact line from which `line` and `other` are damaged copies, or None.

    This works if the copies are damaged in different places, or if the checksum corrects one. The
    number of combinations is limited by `tries`.
    """
    if (made := corrected(line)) != line:
        return made
    if line == other or len(line) != len(other):
        return None
    combinations = (made for made, _ in zip(_combinations(line, other), tries, strict=False))
    for made in chain((corrected(other),), combinations):
        if made.endswith(b"\n") and not any(map(is_damaged, io.BytesIO(made))):
            return made
    return None


def _combinations(line: bytes, other: bytes) -> Iterator[bytes]:
    """Yield each line that takes every byte in which two lines differ from one of them.

    If they differ in many bytes, neighboring bytes are taken from the same line.
    """
    places = [place for place, (a, b) in enumerate(zip(line, other, strict=True)) if a != b]
    choices = [[place] for place in places]
    if len(choices) > _MOST_CHOICES:
        runs = groupby(enumerate(places), lambda each: each[1] - each[0])
        choices = [[place for _, place in run] for _, run in runs]
    if len(choices) > _MOST_CHOICES:
        return
    for of_other in product((False, True), repeat=len(choices)):
        made = bytearray(line)
        for taken, run in zip(of_other, choices, strict=True):
            if taken:
                made[run[0] : run[-1] + 1] = other[run[0] : run[-1] + 1]
        yield bytes(made)


# --- lines that remain damaged --------------------------------------------------------------------


def without_damage(data: bytes) -> bytes:
    """Return a log in which each run of damaged lines has become one line that readers ignore.

    All positions in the log stay the same.
    """
    made = bytearray(data)
    for start, end in damaged_runs(io.BytesIO(data)):
        text = data[start : end - len(UNFINISHED)].replace(b"\n", b" ")
        made[start:end] = text + UNFINISHED
    return bytes(made)


def lost(data: bytes, start: int = 0, cards: Iterable[Card] = ()) -> Iterator[str]:
    """Yield a description of each entry that was lost in the damaged lines after byte `start`.

    If a line no longer contains its question, the learner's `cards` may show which one it was,
    because each card has the id and the time of the last answer to its question.
    """
    lines = lines_in(data)
    known = {line.event.id for line in lines if line.event is not None}
    missing = [card for card in cards if card.last_answer and card.last_answer not in known]
    before, parts, only_here = 0.0, list[bytes](), True
    for line in lines:
        if line.event is not None:
            yield from _descriptions(parts, before, line.event.at, missing if only_here else ())
            # The events that follow the marker of an import are older than the marker.
            before = 0.0 if isinstance(line.event, Imported) else line.event.at
            parts, only_here = [], True
        elif line.damaged and line.start >= start:
            found = BEGINNING.split(data[line.start : line.end])
            parts += [part for part in found if part and _id(part) not in known]
        elif not line.unknown:
            only_here = False  # an answer may have been lost here before
    yield from _descriptions(parts, before, inf, missing if only_here else ())


def _descriptions(
    parts: Sequence[bytes], before: float, after: float, missing: Sequence[Card]
) -> Iterator[str]:
    """Yield descriptions of the entries that were damaged between two intact events.

    `before` and `after` are the times of these events. If some entries no longer contain their
    question, the answers of this period that only the cards in `missing` contain are described.
    """
    if sum(map(len, parts)) < len(UNFINISHED):
        return
    parts = [part for part in parts if len(part) >= len(UNFINISHED)] or [b"".join(parts)]
    unknown: list[str] = []
    named: set[str] = set()
    later = f", later than {_moment(before)}" if before else ""
    for part in parts:
        kind, at = _KIND.search(part), _TIME.search(part)
        questions = [_text(found) for found in _QUESTION.finditer(part)]
        when = f" from {_moment(float(at[1]))}" if at else later
        if kind is not None and kind[1] != b"answered":
            about = f" about the question {questions[0]}" if questions else ""
            yield f"an entry ({_text(kind)}){about}{when}"
        elif not questions:
            unknown.append(f"an answer to an unknown question{when}")
        else:
            yield f"an answer to the question {questions[0]}{when}"
            yield from (f"an answer to the question {each}{later}" for each in questions[1:])
            named.update(questions)
    if unknown:
        between = [card for card in missing if before <= card.last_at <= after]
        probable = [_probable(card) for card in between if safe(card.question) not in named]
        yield from probable
        yield from unknown[len(probable) :]


def _probable(card: Card) -> str:
    return f"probably an answer to the question {safe(card.question)} from {_moment(card.last_at)}"


def _id(part: bytes) -> str:
    found = _ID.search(part)
    return _text(found) if found else ""


def _text(found: re.Match[bytes]) -> str:
    return safe(found[1].decode("utf-8", "replace"))


def _moment(at: float) -> str:
    """Return a time as text: the local date, hour and minute."""
    return datetime.fromtimestamp(at).isoformat(" ", "minutes")
