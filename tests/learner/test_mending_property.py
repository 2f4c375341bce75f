"""Test that every line of a log is restored from two damaged copies, if one has it intact.

No answer is lost silently, counted twice, or changed, whatever the damage.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learner.event_strategies import events
from tests.learner.learner_sessions import answered, log_files, told
from tutor.learner.log_lines import encode, lines_in
from tutor.learner.mending import mended
from tutor.learner.progress import Progress
from tutor.learner.records import Imported, LogEvent, identified
from tutor.learner.review_log import Examined, ReviewLog

histories = st.lists(events.map(identified), min_size=1, max_size=8)
halves = st.lists(st.booleans(), min_size=8, max_size=8)


class Flip(msgspec.Struct, frozen=True):
    """A bit to flip in a line: its place, as a fraction of the line's length, and its number."""

    line: int
    share: float
    bit: int


flips = st.lists(
    st.builds(Flip, st.integers(0, 7), st.floats(0, 1, exclude_max=True), st.integers(0, 7)),
    max_size=6,
)


def with_flips(lines: list[bytes], flips: list[Flip], allowed: list[bool]) -> bytes:
    """Return the lines with these bits flipped, in the lines that are `allowed` to be damaged.

    Their line endings stay: without one, the next line would be damaged too.
    """
    data = [bytearray(line) for line in lines]
    for flip in flips:
        if flip.line < len(data) and allowed[flip.line]:
            line = data[flip.line]
            place = int((len(line) - 1) * flip.share)
            line[place] ^= 1 << flip.bit
            if line[place : place + 1] == b"\n":  # otherwise there would be two lines
                line[place] ^= 1 << flip.bit
    return b"".join(data)


def mend(log: ReviewLog) -> Examined:
    found = log.examine()
    log.mend(found)
    return found


def heard(data: bytes) -> list[LogEvent]:
    return [line.event for line in lines_in(data) if line.event is not None]


@given(histories, halves, flips, flips)
@settings(deadline=None)
def test_flipped_bits_lose_nothing_unless_a_line_is_hit_in_both(
    history: list[LogEvent], whose: list[bool], log_flips: list[Flip], copy_flips: list[Flip]
) -> None:
    lines = list(map(encode, history))
    log = with_flips(lines, log_flips, whose)
    copy = with_flips(lines, copy_flips, [not each for each in whose])
    assert mended(log, copy) == mended(copy, log) == b"".join(lines)


@given(histories, histories, st.floats(0, 1), flips, st.booleans())
@settings(deadline=None)
def test_lines_written_after_the_damage_are_kept(
    history: list[LogEvent], later: list[LogEvent], kept: float, flips: list[Flip], log_hurt: bool
) -> None:
    """The log or its copy is cut off and has flipped bits, and the session continues unaware.

    Then both files are repaired twice.
    """
    with TemporaryDirectory() as folder:
        log = ReviewLog(Path(folder) / "reviews.log")
        log.extend(history)
        hurt = log.path if log_hurt else log.copy
        data = with_flips(hurt.read_bytes().splitlines(keepends=True), flips, [True] * 8)
        hurt.write_bytes(data[: int(len(data) * kept)])
        if log.cut_off():
            mend(log)  # as every save does first
        for event in later:
            log.extend([event])
        mend(log)
        assert log.intact()
        whole = log.path.read_bytes()
        found = [event for event in heard(whole) if not isinstance(event, Imported)]
        assert sorted(event.id for event in found) == sorted(e.id for e in [*history, *later])
        assert {event.id: event for event in found} == {e.id: e for e in [*history, *later]}
        assert log.examine().lost == ()
        mend(log)
        assert log.path.read_bytes() == whole


@given(histories, histories, histories)
@settings(deadline=None)
def test_two_logs_that_diverged_are_combined(
    before: list[LogEvent], here: list[LogEvent], there: list[LogEvent]
) -> None:
    beginning = b"".join(map(encode, before))
    log = beginning + b"".join(map(encode, here))
    copy = beginning + b"".join(map(encode, there))
    whole = mended(log, copy)
    assert whole.startswith(log)
    found = [event for event in heard(whole) if not isinstance(event, Imported)]
    assert sorted(event.id for event in found) == sorted(e.id for e in [*before, *here, *there])
    assert mended(whole, copy) == whole


@given(histories, st.integers(0, 7), st.lists(st.floats(0, 1), min_size=2, max_size=8, unique=True))
@settings(deadline=None)
def test_a_line_that_is_damaged_in_both_at_different_places_is_restored(
    history: list[LogEvent], which: int, shares: list[float]
) -> None:
    lines = list(map(encode, history))
    number = which % len(lines)
    length = len(lines[number]) - 1
    places = sorted({int((length - 1) * share) for share in shares})
    hurt = [bytearray(lines[number]), bytearray(lines[number])]
    for turn, place in enumerate(places):
        hurt[turn % 2][place] = ord("#") if lines[number][place] != ord("#") else ord("%")
    log, copy = (b"".join([*lines[:number], each, *lines[number + 1 :]]) for each in hurt)
    assert mended(log, copy) == mended(copy, log) == b"".join(lines)


@given(histories, flips)
@settings(deadline=None)
def test_a_line_damaged_alike_in_both_is_restored_or_named_once(
    history: list[LogEvent], flips: list[Flip]
) -> None:
    lines = list(map(encode, history))
    hurt = with_flips(lines, flips, [True] * 8)
    with TemporaryDirectory() as folder:
        log = ReviewLog(Path(folder) / "reviews.log")
        log.path.write_bytes(hurt)
        log.copy.write_bytes(hurt)
        lost = mend(log).lost
        assert log.intact()
        assert len(heard(log.path.read_bytes())) + len(lost) == len(history)
        assert set(heard(log.path.read_bytes())) <= set(history)
        assert len(log.path.read_bytes()) == len(hurt)
        assert mend(log).lost == ()


class Edit(msgspec.Struct, frozen=True):
    """Bytes to overwrite, insert or remove at a place, which is a fraction of the file's length."""

    share: float
    removed: int
    written: bytes
    of: str
    """The files that are edited: "log", "copy" or "both"."""

    def apply(self, data: bytes) -> bytes:
        place = int(len(data) * self.share)
        return data[:place] + self.written + data[place + self.removed :]


def at_newline(data: bytes, edit: Edit) -> Edit:
    """Return the edit, moved to the next newline in `data`."""
    place = data.find(b"\n", int(len(data) * edit.share))
    return edit if place < 0 else msgspec.structs.replace(edit, share=(place + 0.5) / len(data))


pieces = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"\n", b"\n" * 30, bytes(60), bytes(300), b"}#", b"#"]),
)
edits = st.builds(
    Edit, st.floats(0, 1), st.integers(0, 300), pieces, st.sampled_from(["log", "copy", "both"])
)
in_place = st.builds(
    lambda share, written, of: Edit(share, len(written), written, of),
    st.floats(0, 1),
    pieces,
    st.sampled_from(["log", "copy", "both"]),
)


@given(st.lists(in_place | edits, min_size=1, max_size=3), st.lists(st.booleans(), min_size=3))
@settings(deadline=None)
def test_whatever_is_damaged_no_answer_is_changed_doubled_or_lost_silently(
    edits: list[Edit], newlines: list[bool]
) -> None:
    with TemporaryDirectory() as folder:
        learner = Path(folder) / "learner"
        for number in range(4):
            Progress.open(learner).record(answered(number))
        log, copy = log_files(learner)
        data = log.read_bytes()
        originals = {event.id: event for event in heard(data)}
        hurt = {"log": data, "copy": data}
        for edit, newline in zip(edits, newlines, strict=False):
            moved = at_newline(data, edit) if newline else edit
            for name in hurt if edit.of == "both" else (edit.of,):
                hurt[name] = moved.apply(hurt[name])
        log.write_bytes(hurt["log"])
        copy.write_bytes(hurt["copy"])
        readable = {event.id for event in [*heard(hurt["log"]), *heard(hurt["copy"])]}
        progress = Progress.open(learner)
        progress.check()
        found = [event for event in progress.events() if not isinstance(event, Imported)]
        assert {event.id: event for event in found}.items() <= originals.items()
        assert len({event.id for event in found}) == len(found)
        assert readable <= {event.id for event in found}
        assert {card.answers for card in progress.cards().values()} == {1}
        assert len(progress.cards()) == 4  # the state is intact
        assert ReviewLog(log).intact()
        if len(found) < 4:
            assert re.search("Lost: |older than your saved progress", told(progress))
        again = Progress.open(learner)
        again.check()
        assert again.cards() == progress.cards()
        assert "Lost: " not in told(again)
