"""Restore a complete log from two copies of it, even if both are truncated or damaged.

If a line is damaged in both copies, many combinations of the two damaged lines are tried until the
checksum matches. If none matches, `description` names the lost answer as far as the line can still
be read.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, product

from tutor.learner.log_lines import UNFINISHED, Line, decode, encode, lines_in
from tutor.learner.records import Imported, LogEvent
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
    if log.startswith(copy):
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


def description(line: bytes, after: float = 0.0) -> str:
    """Describe what a damaged line contained, as far as it can be read.

    `after` is the time of the line before it, in seconds since the epoch, or 0 if it is unknown.
    """
    kind, question = _KIND.search(line), _QUESTION.search(line)
    what = "an answer" if kind is None or kind[1] == b"answered" else f"an entry ({_text(kind)})"
    about = f" to the question {_text(question)}" if question else " to an unknown question"
    if kind is not None and kind[1] != b"answered":
        about = f" about the question {_text(question)}" if question else ""
    at = _TIME.search(line)
    if at is not None:
        return f"{what}{about} from {_moment(float(at[1]))}"
    return f"{what}{about}" + (f", later than {_moment(after)}" if after else "")


def _text(found: re.Match[bytes]) -> str:
    return safe(found[1].decode("utf-8", "replace"))


def _moment(at: float) -> str:
    """Return a time as text: the local date, hour and minute."""
    return datetime.fromtimestamp(at).isoformat(" ", "minutes")
