"""Export progress on one machine and import it on another.

An export is a JSON object with all events in the review log and the state computed from them. A
review log can be imported too. An import adds only events with new ids, so the same files can be
imported again, in any order. Each file is read and checked completely before anything changes.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tutor.errors import StoreError
from tutor.learner import disk
from tutor.learner.checks import Refused, check_event, check_place
from tutor.learner.errors import ImportRefused
from tutor.learner.progress import Progress
from tutor.learner.records import Imported, LessonState, LogEvent, identified
from tutor.learner.review_log import ReviewLog
from tutor.learner.schema import CURRENT
from tutor.learner.state import LearnerState
from tutor.text import safe

T = TypeVar("T")

KIND = "progress"
LARGEST = 200_000_000
"""The maximum size of a file in bytes, enough for about a million events."""

_LOG_LINE = re.compile(rb"[0-9a-f]{8} ")
_NEXT_STEP = (
    "Nothing was imported. Export your progress again on the other machine, then import it."
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A learner's position in a lesson. The current quiz is left out, because it is not merged."""

    lesson: str
    screen: str = ""
    seen: tuple[str, ...] = ()
    visited_at: float = 0.0


class Bundle(msgspec.Struct, frozen=True):
    """The contents of an imported file. `damaged` is the number of unreadable log lines."""

    events: tuple[LogEvent, ...]
    places: tuple[Place, ...] = ()
    damaged: int = 0


class Merged(msgspec.Struct, frozen=True):
    """The result of an import: how many events were added, and how many already existed."""

    added: int
    known: int


class _Head(msgspec.Struct, frozen=True):
    tutor: str
    format: int


class _Export(msgspec.Struct, frozen=True):
    events: tuple[LogEvent, ...]
    lessons: tuple[Place, ...] = ()


def export(progress: Progress) -> dict[str, Any]:
    """Return a learner's events and state as JSON-serializable data. Raises `StoreError`."""
    events = [event for event in progress.events() if not isinstance(event, Imported)]
    return {
        "tutor": KIND,
        "exported_at": progress.clock(),
        **progress.export(),
        "events": msgspec.to_builtins(events),
    }


def read(path: Path, now: float) -> Bundle:
    """Return the contents of an export or a review log.

    Raises `ImportRefused` if the file is neither, is damaged, or contains invalid
    values. Raises `StoreNewer` if a newer version of tutor wrote the file, and `StoreError` if the
    file cannot be read.
    """
    name = safe(str(path))
    with disk.failures_in_words(path, "read"):
        if path.is_dir():
            raise ImportRefused(
                f"{name} is a folder.", "Enter the path of the file reviews.log in that folder."
            )
        if path.exists() and not path.is_file():
            raise ImportRefused(f"{name} is not a regular file.", _NEXT_STEP)
        size = path.stat().st_size
        if size > LARGEST:
            raise ImportRefused(f"{name} is too large for an export ({size:,} bytes).", _NEXT_STEP)
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    bundle = _of_log(path, name) if _LOG_LINE.match(data) else _of_export(data, name)
    try:
        for event in bundle.events:
            check_event(event, now)
        for place in bundle.places:
            check_place(place.lesson, place.screen, place.seen, place.visited_at, now)
    except Refused as reason:
        raise ImportRefused(f"{name} contains {reason}.", _NEXT_STEP) from None
    return bundle


def _of_export(data: bytes, name: str) -> Bundle:
    head = _decode(data, _Head, f"{name} is not a tutor export")
    if head.tutor != KIND or head.format < 1:
        raise ImportRefused(f"{name} does not contain a learner's progress.", _NEXT_STEP)
    CURRENT.check(head.format, name)
    found = _decode(data, _Export, f"{name} is damaged")
    return Bundle(_without_marks(found.events), found.lessons)


def _decode(data: bytes, kind: type[T], problem: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ImportRefused(f"{problem} ({safe(str(error))[:200]}).", _NEXT_STEP) from None


def _of_log(path: Path, name: str) -> Bundle:
    lines = list(ReviewLog(path).read())
    if any(line.unknown for line in lines):
        CURRENT.check(CURRENT.version + 1, name)
    events = (line.event for line in lines if line.event is not None)
    return Bundle(_without_marks(events), damaged=sum(line.damaged for line in lines))


def _without_marks(events: Iterable[LogEvent]) -> tuple[LogEvent, ...]:
    return tuple(event for event in events if not isinstance(event, Imported))


def merge(progress: Progress, bundles: Sequence[Bundle]) -> Merged:
    """Add the events and positions in `bundles` to `progress`, either all or none.

    Events that `progress` already contains are skipped. Raises `ImportRefused` if two different
    events have the same id, and the same errors as `Progress.record`.
    """
    merged = Merged(0, 0)
    all_events = [event for bundle in bundles for event in bundle.events]

    def new() -> list[LogEvent]:
        nonlocal merged
        known = {event.id: event for event in progress.events()}
        added: list[LogEvent] = []
        for event in all_events:
            same = known.setdefault(event.id, event)
            if same is event:
                added.append(event)
            elif same != event:
                raise ImportRefused(
                    f"Two different events have the same id ({safe(event.id)}).", _NEXT_STEP
                )
        merged = Merged(len(added), len(all_events) - len(added))
        added.sort(key=lambda event: (event.at, event.id))
        return (
            [identified(Imported(at=progress.clock(), count=len(added))), *added] if added else []
        )

    places = [place for bundle in bundles for place in bundle.places]
    progress.record_new(new, lambda state: _placed(state, places))
    return merged


def _placed(state: LearnerState, places: Iterable[Place]) -> LearnerState:
    """Return `state` with the positions in `places` merged into it.

    The result contains all screens that were seen on any machine, and the latest screen of each
    lesson.
    """
    lessons = dict(state.lessons)
    for place in places:
        known = lessons.get(place.lesson) or LessonState(lesson=place.lesson)
        _, screen = max((known.visited_at, known.screen), (place.visited_at, place.screen))
        lessons[place.lesson] = msgspec.structs.replace(
            known,
            screen=screen or known.screen or place.screen,
            seen=tuple(sorted({*known.seen, *place.seen})),
            visited_at=max(known.visited_at, place.visited_at),
        )
    return msgspec.structs.replace(state, lessons=lessons)


def write(path: Path, data: bytes) -> None:
    """Write `data` to a file that only its owner can read. Raises `StoreError`.

    The file is either written completely or not at all.
    """
    name = safe(str(path))
    if path.exists() and not path.is_file():
        raise StoreError(
            f"{name} is not a regular file.",
            "Choose another file, or omit the file name to print the export.",
        )
    try:
        disk.replace(path, data)
    except OSError as error:
        raise StoreError(
            f"{name} could not be written ({error.strerror or error}).",
            "Choose a file in a folder that you can write to.",
        ) from error
