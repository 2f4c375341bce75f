"""Restore a complete log from two copies of it, even if both are truncated or damaged.

If a line is damaged in both copies, many combinations of the two damaged lines are tried until the
checksum matches. If none matches, `lost` names the lost answer as far as the line can still be read
or the learner's cards tell.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, product

from tutor.learner.log_lines import UNFINISHED, Line, decode, encode, lines_in
from tutor.learner.records import Card, Imported, LogEvent
from tutor.text import safe

_MOST_CHOICES = 14
"""The maximum number of differences between two damaged copies of a line.

For n differences, 2^n combinations are tried.
"""
_LONGEST = 1000
"""The maximum length, in bytes, of a damaged line to try to repair by flipping single bits."""
_QUESTION = re.compile(rb'"question":"([^"\\]{1,80})"')
_TIME = re.compile(rb'"at":(\d{1,11})[.,]')
_KIND = re.compile(rb'"event":"([a-z-]{1,20})"')


def mended(log: bytes, copy: bytes) -> bytes:
    """Return `log` plus the lines that are intact only in `copy`.

    Intact lines of `log` keep their positions. A line from `copy` is inserted at its position in
    `copy`. So if only one file was truncated or damaged, the result equals the other file. If `log`
    has a different intact line at this position, the line from `copy` is appended as if it had been
    imported from another machine. A line that is damaged in both files is repaired if possible.
    """
    if log.startswith(copy) and not any(line.damaged for line in lines_in(log)):
        return log
    ours = [line for line in lines_in(log) if line.sound]
    starts = [line.start for line in ours]
    known = {_name(line, log) for line in ours}
    whole = bytearray(log)
    homeless: list[Line] = []
    for line in lines_in(copy):
        if line.damaged or _name(line, copy) in known:
            continue
        if _fits(line, whole, starts):
            whole[line.start : line.end] = copy[line.start : line.end]
        elif line.sound:
            homeless.append(line)
    for line in lines_in(bytes(whole)):
        place = slice(line.start, line.end)
        found = _repaired(bytes(whole[place]), copy[place]) if line.damaged else None
        if found is not None and _name(decode(found, line.start), found) not in known:
            whole[place] = found
    return bytes(whole) + _appended(homeless, copy, torn=not whole.endswith(b"\n"))


def _name(line: Line, data: bytes) -> str | bytes:
    """Return a key that identifies the event in `line`, wherever the line is in the log."""
    return line.event.id if line.event else data[line.start : line.end]


def _fits(line: Line, whole: bytearray, starts: list[int]) -> bool:
    """Return True if `line` fits into `whole` at its own position.

    It must not overwrite an intact line. `starts` has the positions of the intact lines.
    """
    after = bisect_left(starts, line.start)
    free = after == len(starts) or line.end <= starts[after]
    begins = line.start == 0 or whole[line.start - 1 : line.start] == b"\n"
    return free and begins and line.start <= len(whole)


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


def _repaired(line: bytes, other: bytes) -> bytes | None:
    """Return the intact line from which `line` and `other` are damaged copies, or None.

    This works if the copies are damaged in different places, or if one copy has only one wrong bit.
    """
    tries: Iterable[bytes] = _combinations(line, other) if len(line) == len(other) else ()
    for found in (*tries, *_with_one_bit_flipped(line), *_with_one_bit_flipped(other)):
        if not decode(found, 0).damaged:
            return found
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


def _with_one_bit_flipped(line: bytes) -> Iterator[bytes]:
    if len(line) > _LONGEST:
        return
    for place in range(len(line) - 1):  # the last byte is the newline
        for bit in range(8):
            made = bytearray(line)
            made[place] ^= 1 << bit
            if made[place] != ord("\n"):
                yield bytes(made)


# --- naming lost answers --------------------------------------------------------------------------


def lost(data: bytes, start: int = 0, cards: Mapping[str, Card] | None = None) -> Iterator[str]:
    """Yield a description of each damaged line after byte `start` of a log.

    If a line no longer tells which answer it contained, the learner's `cards` may tell it.
    """
    lines = lines_in(data)
    missing = missing_from(lines, cards or {})
    before = 0.0
    for line in lines:
        if line.damaged and line.start >= start:
            yield description(data[line.start : line.end], before, cards, missing)
        before = line.event.at if line.event is not None else before


def missing_from(lines: Iterable[Line], cards: Mapping[str, Card]) -> list[Card]:
    """Return the cards whose last answer is not in `lines`, the earliest answer first."""
    ids = {line.event.id for line in lines if line.event is not None}
    missing = (card for card in cards.values() if card.last_answer and card.last_answer not in ids)
    return sorted(missing, key=lambda card: card.last_at)


def last_answer(card: Card) -> str:
    """Describe the last answer that a card includes."""
    return f"an answer to the question {safe(card.question)} from {_moment(card.last_at)}"


def description(
    line: bytes,
    after: float = 0.0,
    cards: Mapping[str, Card] | None = None,
    missing: Sequence[Card] = (),
) -> str:
    """Describe what a damaged line contained, as far as it can be read.

    `after` is the time of the line before it, in seconds since the epoch, or 0 if it is unknown.
    `cards` are the learner's cards, and `missing` are the cards whose last answer is not in the
    log. They complete the description of an answer.
    """
    kind, question, at = _KIND.search(line), _QUESTION.search(line), _TIME.search(line)
    if kind is not None and kind[1] != b"answered":
        about = f" about the question {_text(question)}" if question else ""
        what = f"an entry ({_text(kind)}){about}"
    elif question:
        what = f"an answer to the question {_text(question)}"
    elif (card := _card_of(line, cards or {})) or (card := _only(missing, after)):
        what = f"an answer to the question {safe(card.question)}"
        if at is None and card in missing:
            return last_answer(card)
    else:
        what = "an answer to an unknown question"
    if at is not None:
        return f"{what} from {_moment(float(at[1]))}"
    return what + (f", later than {_moment(after)}" if after else "")


def _card_of(line: bytes, cards: Mapping[str, Card]) -> Card | None:
    """Return the card of the answer in a damaged line, if the line contains its question or id."""
    for name, card in cards.items():
        if f'"{name}"'.encode() in line:
            return card
    for card in cards.values():
        if card.last_answer and card.last_answer.encode() in line:
            return card
    return None


def _only(missing: Sequence[Card], after: float) -> Card | None:
    """Return the only card in `missing` that was answered later than `after`, or None."""
    later = [card for card in missing if card.last_at >= after]
    return later[0] if len(later) == 1 else None


def _text(found: re.Match[bytes]) -> str:
    return safe(found[1].decode("utf-8", "replace"))


def _moment(at: float) -> str:
    """Return a time as text: the local date, hour and minute."""
    return datetime.fromtimestamp(at).isoformat(" ", "minutes")
