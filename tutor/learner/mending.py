"""Restore a complete log from two copies of it, even if both are cut off or damaged."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence

from tutor.learner.log_lines import UNFINISHED, Line, encode, lines_in
from tutor.learner.records import Imported, LogEvent


def mended(log: bytes, copy: bytes) -> bytes:
    """Return `log`, with all lines added that are intact only in `copy`.

    Intact lines of `log` keep their positions. A line from `copy` is inserted at its position in
    `copy`. If one file was cut off or damaged, both files are therefore identical again. If `log`
    has another intact line at this position, the line from `copy` is appended as if it had been
    imported from another machine.
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
    return bytes(whole) + _appended(homeless, copy, torn=not whole.endswith(b"\n"))


def _name(line: Line, data: bytes) -> str | bytes:
    """Return a key for the event in `line`, which does not depend on the position of the line."""
    return line.event.id if line.event else data[line.start : line.end]


def _fits(line: Line, whole: bytearray, starts: list[int]) -> bool:
    """Return True if `line` can be written into `whole` without overwriting an intact line.

    The position of `line` does not change.
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
