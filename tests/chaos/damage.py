"""Damage files between two starts: truncate them at a random byte, or flip bits.

Any file can be damaged in any way, alone or together with others, with one exception: if the same
line is damaged in both the review log and its copy, only one bit is wrong. Otherwise, the line
could not always be recovered.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tutor.learner.log_lines import UNFINISHED

LOG, COPY, STATE, BACKUP = "reviews.log", "reviews.log.copy", "progress.json", "progress.json.bak"

TARGETS = (
    (LOG,),
    (COPY,),
    (STATE,),
    (BACKUP,),
    (STATE, BACKUP),
    (LOG, STATE),
    (LOG, STATE, BACKUP),
    (COPY, STATE, BACKUP),
)

STATE_SENTENCE = r"progress\.json (is damaged|is empty|was changed by another program)"
LOG_SENTENCE = r"reviews\.log (is incomplete|is damaged)\. Nothing is lost"
COPY_SENTENCE = r"reviews\.log\.copy (is incomplete|is damaged)\. Nothing is lost"
LEFT_OUT_SENTENCE = r"of the entries in \S+ cannot be read"
TAIL_SENTENCE = r"Part of \S+ cannot be read"


class Expected(msgspec.Struct, frozen=True):
    """Patterns for the messages at the next start.

    A message must match each pattern in `needed`. Every other message must match one in `allowed`.
    """

    needed: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


def tear(folder: Path, chance: random.Random) -> Expected:
    """Truncate files at a random byte, or leave an unfinished line."""
    before = contents(folder)
    if chance.random() < 0.25:
        line = max(before[LOG].splitlines(keepends=True), key=len)
        with (folder / LOG).open("ab") as file:
            file.write(line[: chance.randrange(1, len(line))])
        return Expected()
    for name in chance.choice(TARGETS):
        if before.get(name):
            with (folder / name).open("r+b") as file:
                file.truncate(chance.randrange(len(before[name])))
    return _expected(before, contents(folder))


def flip(folder: Path, chance: random.Random) -> Expected:
    """Flip some bits."""
    before = contents(folder)
    if chance.random() < 0.25:
        _flip_both_logs(folder, before, chance)
    else:
        for name in chance.choice(TARGETS):
            _flip_bits(folder / name, range(len(before.get(name, b""))), chance)
    return _expected(before, contents(folder))


def _flip_both_logs(folder: Path, before: dict[str, bytes], chance: random.Random) -> None:
    """Flip bits in different lines of the log and of its copy, or the same bit in both."""
    start = 0
    for line in before[COPY].splitlines(keepends=True):
        places = range(start, start + len(line) - 1)  # a newline belongs to two lines
        start += len(line)
        if len(line) > 1 and chance.random() < 0.3:
            _flip_bits(folder / chance.choice((LOG, COPY)), places, chance)
        elif line.endswith(b"\n") and not line.endswith(UNFINISHED) and chance.random() < 0.2:
            place = chance.choice(places)
            for name in (LOG, COPY):
                _flip_bit(folder / name, place, 7)  # which makes no byte a newline


def _flip_bits(path: Path, places: range, chance: random.Random) -> None:
    """Flip bits of a file at some of the byte positions `places`."""
    if not places:
        return
    for place in {chance.choice(places) for _ in range(chance.choice((1, 1, 2, 8)))}:
        _flip_bit(path, place, chance.randrange(8))


def _flip_bit(path: Path, place: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0] ^ 1 << bit
        file.seek(place)
        file.write(bytes([byte]))


def contents(folder: Path) -> dict[str, bytes]:
    names = (LOG, COPY, STATE, BACKUP)
    return {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


def _expected(before: dict[str, bytes], after: dict[str, bytes]) -> Expected:
    changed = {name for name in before if before[name] != after[name]}
    needed: list[str] = []
    allowed: list[str] = []
    if STATE in changed:
        needed.append(STATE_SENTENCE)
    if {STATE, BACKUP} & changed:
        allowed.append(LEFT_OUT_SENTENCE)  # at this start, or when the backup is used
    if LOG in changed:
        kept = _starts_so(after[LOG], before[COPY]) or _is_readable(after[LOG], before[LOG])
        (allowed if kept else needed).append(LOG_SENTENCE)
        allowed.append(TAIL_SENTENCE)
    if COPY in changed:
        cut = before[COPY].startswith(after[COPY])
        known = STATE not in changed and len(after[COPY]) < _mark(before[STATE])
        kept = (cut and not known) or _is_readable(after[COPY], before[COPY])
        (allowed if kept else needed).append(COPY_SENTENCE)
        if kept:
            allowed.append(LOG_SENTENCE)  # neither version of an unfinished line is the right one
    return Expected(tuple(needed), tuple(allowed))


def _starts_so(log: bytes, copy: bytes) -> bool:
    """Return True if nothing was lost except data that was never written to the copy."""
    return log.startswith(copy)


def _is_readable(after: bytes, before: bytes) -> bool:
    """Return True if every line of `before` is in `after`, except lines that were torn earlier."""
    lines = set(after.splitlines(keepends=True))
    finished = (line for line in before.splitlines(keepends=True) if not line.endswith(UNFINISHED))
    return all(line in lines for line in finished)


def _mark(state: bytes) -> int:
    """Return the position in the log, in bytes, up to which the state includes its events."""
    end = msgspec.json.decode(state)["log"]["mark"]["end"]
    assert isinstance(end, int)
    return end


def unlike(told: Iterable[str], expected: Expected) -> str:
    """Return how the messages in `told` differ from the expected messages, or "" if they don't."""
    said = list(told)
    for pattern in expected.needed:
        if not any(re.search(pattern, each) for each in said):
            return f"{pattern!r} was not reported, but {said}"
    for each in said:
        if not any(re.search(pattern, each) for pattern in (*expected.needed, *expected.allowed)):
            return f"reported without reason: {each}"
    return ""
