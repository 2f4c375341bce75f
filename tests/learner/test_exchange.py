"""Test exports and imports: events are merged in any order, and invalid files are refused."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.learner.learner_sessions import answered, named, run_session, told
from tutor.errors import TutorError
from tutor.learner import exchange
from tutor.learner.errors import ImportRefused, StoreNewer
from tutor.learner.log_lines import encode
from tutor.learner.progress import Progress
from tutor.learner.records import (
    Answered,
    Draft,
    Forgotten,
    GoalReached,
    Guessed,
    LabDone,
    LessonRead,
    LessonState,
    LogEvent,
    Predicted,
    Suspended,
    Undone,
)
from tutor.learner.review_log import ReviewLog
from tutor.learner.state import LearnerState, fold, in_order

NOW = 2_000_000.0

names = st.sampled_from(["a", "b", "c"])
times = st.integers(0, 60).map(lambda number: 1_000_000.0 + number * 7_200)


@st.composite
def histories(draw: st.DrawFn) -> list[LogEvent]:
    """Draw events of one learner on several machines, each with its own id, in any order."""
    kinds = st.one_of(
        st.builds(
            Answered,
            at=times,
            question=names,
            version=st.integers(1, 2),
            lesson=names,
            correct=st.booleans(),
            zone=st.just(60),
        ),
        st.builds(Suspended, at=times, question=names, suspended=st.booleans()),
        st.builds(Forgotten, at=times, lesson=names, questions=st.tuples(names)),
        st.builds(LabDone, at=times, lab=names, lesson=names),
        st.builds(GoalReached, at=times, lab=names, lesson=names, goal=names),
        st.builds(LessonRead, at=times, lesson=names),
        st.builds(Predicted, at=times, prediction=names, lesson=names, guess=names),
        st.builds(
            Guessed,
            at=times,
            text=names,
            guess=names,
            actual=names,
            rank=st.integers(1, 9),
            learner_bits=st.floats(0, 30),
            model_bits=st.floats(0, 30),
        ),
    )
    events: list[LogEvent] = [
        msgspec.structs.replace(event, id=f"event-{number}")
        for number, event in enumerate(draw(st.lists(kinds, max_size=25)))
    ]
    answers = [event for event in events if isinstance(event, Answered)]
    for event in draw(st.lists(st.sampled_from(answers), max_size=2)) if answers else []:
        events.append(
            Undone(at=event.at, id=f"event-{len(events)}", answer=event.id, question=event.question)
        )
    return events


def what_follows(progress: Progress) -> dict[str, object]:
    """Return everything that follows from the events."""
    state = progress.state()
    lessons = {
        key: (lesson.screen, lesson.seen, lesson.read, lesson.labs_done, lesson.goals_reached)
        for key, lesson in state.lessons.items()
    }
    return {
        "cards": state.cards,
        "guesses": state.guesses,
        "forgotten": state.forgotten,
        "suspensions": state.suspensions,
        "days": state.days,
        "lessons": lessons,
    }


def exported(progress: Progress, file: Path) -> Path:
    file.write_bytes(msgspec.json.encode(exchange.export(progress)))
    return file


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.data())
def test_merging_both_ways_gives_the_union(events: list[LogEvent], data: st.DataObject) -> None:
    """Each event was recorded here, there, or (imported before) on both machines."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        machines = [Progress(folder / name, clock=lambda: NOW) for name in ("here", "there")]
        for event in events:
            where = data.draw(st.sampled_from([(0,), (1,), (0, 1)]))
            for number in where:
                machines[number].record(event)
        for number, machine in enumerate(machines):
            for lesson in data.draw(st.lists(names, max_size=2, unique=True)):
                at = data.draw(times)
                screen = f"screen-{number}"
                machine.save_lesson(
                    LessonState(lesson=lesson, screen=screen, seen=(screen,), visited_at=at)
                )
        files = [exported(machine, folder / str(n)) for n, machine in enumerate(machines)]
        for machine, file in zip(machines, reversed(files), strict=True):
            exchange.merge(machine, [exchange.read(file, NOW)])
        here, there = machines
        assert what_follows(here) == what_follows(there)
        union = fold(LearnerState(), in_order(events))
        assert here.cards() == union.cards
        assert here.guesses == union.guesses
        for machine in machines:  # importing both again changes nothing
            before = what_follows(machine)
            merged = exchange.merge(machine, [exchange.read(file, NOW) for file in files])
            assert merged.added == 0
            assert what_follows(machine) == before == what_follows(Progress(machine.folder))
        third = Progress(folder / "third", clock=lambda: NOW)
        exchange.merge(third, [exchange.read(file, NOW) for file in files])
        assert what_follows(third) == what_follows(here)
        for machine in (here, third):  # the log alone gives the same
            alone = Progress(folder / f"log of {machine.folder.name}")
            alone.folder.mkdir()
            (alone.folder / "reviews.log").write_bytes(
                (machine.folder / "reviews.log").read_bytes()
                if (machine.folder / "reviews.log").exists()
                else b""
            )
            assert alone.cards() == here.cards()


def old_line(question: str, at: float) -> bytes:
    """Return a line from before answers had ids."""
    import zlib

    body = msgspec.json.encode(
        {
            "event": "answered",
            "at": at,
            "question": question,
            "version": 1,
            "lesson": "l",
            "correct": True,
        }
    )
    return b"%08x " % zlib.crc32(body) + body + b"\n"


def test_answers_without_ids_are_merged_once(tmp_path: Path) -> None:
    machines = []
    for name, questions in (("here", "aab"), ("there", "bbc")):
        folder = tmp_path / name
        folder.mkdir()
        lines = [old_line(question, 1000.0 + n // 2) for n, question in enumerate(questions)]
        (folder / "reviews.log").write_bytes(b"".join(lines))
        machines.append(Progress(folder, clock=lambda: NOW))
    here, there = machines
    file = exported(here, tmp_path / "file")
    log = here.folder / "reviews.log"
    assert exchange.read(file, NOW) == exchange.read(log, NOW)
    for source in (file, log, file):
        exchange.merge(there, [exchange.read(source, NOW)])
    exchange.merge(here, [exchange.read(exported(there, tmp_path / "back"), NOW)])
    for machine in machines:
        counts = {key: card.answers for key, card in machine.cards().items()}
        assert counts == {"a": 2, "b": 3, "c": 1}
    assert here.cards() == there.cards()


def test_a_quiz_in_progress_is_not_changed(tmp_path: Path) -> None:
    here, there = (Progress(tmp_path / name, clock=lambda: NOW) for name in ("here", "there"))
    here.save_lesson(LessonState(lesson="l", question="q", quiz_order=("q",), visited_at=1.0))
    here.save_draft("q", draft := Draft(version=1, answer="17"))
    there.save_lesson(LessonState(lesson="l", screen="end", question="x", visited_at=2.0))
    exchange.merge(here, [exchange.read(exported(there, tmp_path / "file"), NOW)])
    lesson = here.lesson("l")
    assert (lesson.question, lesson.quiz_order, lesson.screen) == ("q", ("q",), "end")
    assert here.draft("q") == draft


def test_a_draft_survives_imported_answers_to_its_question(tmp_path: Path) -> None:
    here, there = (Progress.open(tmp_path / name) for name in ("here", "there"))
    for number in (1, 2):
        there.record(answered(number))
        here.save_draft(f"question-{number}", Draft(version=1, answer=str(number)))
    exchange.merge(here, [exchange.read(exported(there, tmp_path / "file"), NOW)])
    for number in (1, 2):
        assert here.draft(f"question-{number}") == Draft(version=1, answer=str(number))


def test_an_import_after_losing_the_log_keeps_the_state(tmp_path: Path) -> None:
    """The state then includes more events than the log, so it cannot be rebuilt from the log."""
    here, there = (Progress(tmp_path / name, clock=lambda: NOW) for name in ("here", "there"))
    for number in (1, 1, 2):
        here.record(named(number, id=f"here-{number}-{len(here.events())}"))
    (here.folder / "reviews.log").unlink()
    for number in (0, 1, 3):
        there.record(named(number))
    file = exported(there, tmp_path / "file")
    for _ in range(2):
        exchange.merge(here, [exchange.read(file, NOW)])
        again = Progress(here.folder)
        counts = {key: card.answers for key, card in again.cards().items()}
        assert counts == {"question-0": 1, "question-1": 3, "question-2": 1, "question-3": 1}


def test_an_export_contains_everything(filled: Path) -> None:
    progress = Progress(filled)
    found = exchange.export(progress)
    assert [event["question"] for event in found["events"]] == [f"question-{n}" for n in range(3)]
    assert len({event["id"] for event in found["events"]}) == 3
    assert found["cards"] == progress.export()["cards"]
    assert (found["tutor"], found["lessons"][0]["screen"]) == ("progress", "ask")


# --- interrupted --------------------------------------------------------------------------------

KILL = """
import os, signal, sys
from pathlib import Path
from tutor.learner import exchange
from tutor.learner.progress import Progress
import filelock, fsrs

def merge(folder, file, left):
    progress = Progress(folder)
    bundle = exchange.read(file, 2e6)
    def hook(event, arguments):
        nonlocal left
        if event in {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate"}:
            if any(str(each).startswith(str(folder)) for each in arguments):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    exchange.merge(progress, [bundle])

file = Path(sys.argv[1])
for operation, folder in enumerate(map(Path, sys.argv[2:]), start=1):
    child = os.fork()  # modules are imported once for all of them
    if child == 0:
        status = 1
        try:
            merge(folder, file, operation)
            status = 0
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

MOST_OPERATIONS = 40
"""A number of file operations that is larger than an import needs."""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_kill_9_before_every_file_operation_of_an_import(tmp_path: Path) -> None:
    there = Progress(tmp_path / "there")
    for number in range(20):
        there.record(named(number))
    file = exported(there, tmp_path / "file")
    first = Progress(tmp_path / "here-1")
    for number in (3, 50):
        first.record(named(number))
    folders = [tmp_path / f"here-{number}" for number in range(1, MOST_OPERATIONS + 1)]
    for folder in folders[1:]:
        shutil.copytree(first.folder, folder)
    statuses = [int(line) for line in run_session(KILL, file, *folders).split()]
    killed = statuses.index(0)
    assert set(statuses[:killed]) == {-signal.SIGKILL}
    assert set(statuses[killed:]) == {0}
    for folder in folders[:killed]:
        here = Progress(folder)
        assert {"question-3", "question-50"} <= set(here.cards())
        assert told(Progress(folder)) == ""
        exchange.merge(here, [exchange.read(file, NOW)])
        assert {card.answers for card in Progress(folder).cards().values()} == {1}
        assert len(here.cards()) == 21
    assert killed > 5


def test_an_import_cut_off_within_a_line_is_completed_by_another(tmp_path: Path) -> None:
    there = Progress(tmp_path / "there")
    for number in range(5):
        there.record(named(number))
    file = exported(there, tmp_path / "file")
    whole = Progress(tmp_path / "whole")
    whole.record(named(9))
    before = (whole.folder / "reviews.log").read_bytes()
    exchange.merge(whole, [exchange.read(file, NOW)])
    after = (whole.folder / "reviews.log").read_bytes()
    for length in range(len(before), len(after), 97):
        here = Progress(tmp_path / f"here-{length}")
        here.record(named(9))
        (here.folder / "reviews.log").write_bytes(after[:length])
        assert "question-9" in here.cards()
        exchange.merge(here, [exchange.read(file, NOW)])
        assert here.cards() == whole.cards() == Progress(here.folder).cards()


FULL = """
import resource, sys
from pathlib import Path
from tutor.learner.errors import StoreFull
from tutor.learner import exchange
from tutor.learner.progress import Progress
folder, file = Path(sys.argv[1]), Path(sys.argv[2])
progress = Progress(folder)
before = {each.name: each.read_bytes() for each in folder.iterdir() if each.name != "lock"}
bundle = exchange.read(file, 2e6)
size = (folder / "reviews.log").stat().st_size
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in (0, 100, 1000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
    try:
        exchange.merge(progress, [bundle])
        sys.exit("there was room")
    except StoreFull as error:
        print(error.title)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert before == {e.name: e.read_bytes() for e in folder.iterdir() if e.name != "lock"}
print(exchange.merge(progress, [bundle]).added, len(progress.cards()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit to the size of files")
def test_a_full_disk_imports_nothing(tmp_path: Path) -> None:
    there, here = Progress(tmp_path / "there"), Progress(tmp_path / "here")
    for number in range(20):
        there.record(named(number))
    here.record(named(99))
    file = exported(there, tmp_path / "file")
    printed = run_session(FULL, here.folder, file)
    assert printed.splitlines() == ["No space to save progress"] * 3 + ["20 21"]


# --- hostile ------------------------------------------------------------------------------------

EVENT = msgspec.to_builtins(named(1))


def changed(**fields: object) -> dict[str, Any]:
    return {**EVENT, **fields}


def document(*events: object, **more: object) -> bytes:
    return msgspec.json.encode({"tutor": "progress", "format": 3, "events": events, **more})


BAD: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 100,
    "not an object": b"[1, 2]",
    "another program's": b'{"name": "x"}',
    "another kind": b'{"tutor": "model", "format": 1, "events": []}',
    "no format": b'{"tutor": "progress", "events": []}',
    "format zero": document(EVENT, format=0),
    "format as text": document(EVENT, format="3"),
    "cut off": document(EVENT)[:-5],
    "nested": b'{"tutor":"progress","format":3,"events":' + b"[" * 200_000,
    "not UTF-8": document(EVENT).replace(b"question-1", b"question-\xff"),
    "half a surrogate": document(EVENT).replace(b"question-1", b"\\ud83d"),
    "no events": b'{"tutor": "progress", "format": 3}',
    "events of another type": document("answered"),
    "unknown kind": document(changed(event="dreamt")),
    "a text for a number": document(changed(at="1.0")),
    "a number for a boolean": document(changed(correct=1)),
    "too large a number": document(EVENT).replace(b"1000001.0", b"1e999"),
    "a huge integer": document(EVENT).replace(b"1000001.0", b"9" * 5000),
    "before 1970": document(changed(at=-1.0)),
    "from the future": document(changed(at=NOW + 401 * 86_400)),
    "far beyond any date": document(changed(at=1e300)),
    "no id": document(changed(id="")),
    "an id with an escape sequence": document(changed(id="\x1b[2J")),
    "a long id": document(changed(id="x" * 65)),
    "a question with an escape sequence": document(changed(question="q\x1b]0;title\x07")),
    "a question with a newline": document(changed(question="q\n# heading")),
    "a question with reversed text": document(changed(question="q\u202e")),
    "a question of a megabyte": document(changed(question="q" * 1_000_000)),
    "a question without a name": document(changed(question="")),
    "an answer of two megabytes": document(changed(answer="x" * 2_000_000)),
    "version zero": document(changed(version=0)),
    "version of many digits": document(changed(version=10**15)),
    "a strange time zone": document(changed(zone=10**9)),
    "attempt zero": document(changed(attempt=0)),
    "one id, two meanings": document(EVENT, changed(correct=False)),
    "an own id, another meaning": document(changed(id="own", question="other")),
    "lesson with an escape sequence": document(EVENT, lessons=[{"lesson": "\x1b[2J"}]),
    "visited in the future": document(EVENT, lessons=[{"lesson": "l", "visited_at": 1e12}]),
    "seen without end": document(EVENT, lessons=[{"lesson": "l", "seen": ["x"] * 10_001}]),
    "good and bad": document(EVENT, changed(id="other", at=-5.0)),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def own(tmp_path: Path) -> Progress:
    progress = Progress(tmp_path / "me", clock=lambda: NOW)
    progress.record(msgspec.structs.replace(named(7), id="own"))
    return progress


@pytest.mark.parametrize("name", BAD)
def test_an_invalid_file_is_refused_and_changes_nothing(
    own: Progress, tmp_path: Path, name: str
) -> None:
    before = contents(own.folder)
    file = tmp_path / "file.json"
    file.write_bytes(BAD[name])
    with pytest.raises(ImportRefused) as caught:
        exchange.merge(own, [exchange.read(file, NOW)])
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert "Nothing was imported" in str(caught.value)
    assert contents(own.folder) == before


@pytest.mark.parametrize(
    "make",
    [
        lambda file: file.mkdir(),
        lambda file: os.mkfifo(file),
        lambda file: file.symlink_to("/dev/zero"),
        lambda file: file.symlink_to(file),
        lambda file: None,
    ],
    ids=["folder", "pipe", "device", "loop", "nothing"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
def test_things_that_are_not_files_are_refused(
    own: Progress, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "file")
    with pytest.raises(TutorError):
        exchange.read(tmp_path / "file", NOW)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(exchange.LARGEST + 1)
    with pytest.raises(ImportRefused, match="is too large for an export"):
        exchange.read(tmp_path / "file", NOW)


def test_a_file_of_a_newer_version_is_refused(own: Progress, tmp_path: Path) -> None:
    import zlib

    before = contents(own.folder)
    (tmp_path / "export").write_bytes(document({"of": "a later time"}, format=99))
    body = b'{"event":"dreamt","at":1.0,"of":"electric sheep"}'
    line = b"%08x " % zlib.crc32(body) + body + b"\n"
    (tmp_path / "log").write_bytes(encode(named(1)) + line)
    for name in ("export", "log"):
        with pytest.raises(StoreNewer, match="Update tutor to continue"):
            exchange.merge(own, [exchange.read(tmp_path / name, NOW)])
    assert contents(own.folder) == before


def test_one_invalid_file_stops_the_whole_import(own: Progress, tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(document(EVENT))
    (tmp_path / "other").write_bytes(document(changed(correct=False)))
    bundles = [exchange.read(tmp_path / name, NOW) for name in ("good", "other")]
    before = contents(own.folder)
    with pytest.raises(ImportRefused, match="same id"):
        exchange.merge(own, bundles)
    assert contents(own.folder) == before


def test_the_intact_lines_of_a_damaged_log_are_imported(own: Progress, tmp_path: Path) -> None:
    lines = [encode(named(number)) for number in range(3)]
    (tmp_path / "log").write_bytes(lines[0] + lines[1].replace(b"true", b"tru3") + lines[2][:-9])
    bundle = exchange.read(tmp_path / "log", NOW)
    assert (bundle.events, bundle.damaged) == ((named(0),), 1)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_change_of_an_export_is_read_or_refused(data: st.DataObject) -> None:
    """No change of an export leads to an unexpected exception."""
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    event = {**EVENT, data.draw(st.sampled_from([*EVENT])): data.draw(values)}
    try:
        raw = document(event, lessons=[{"lesson": "l", "seen": data.draw(values)}])
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError):
        return
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "file"
        file.write_bytes(raw)
        progress = Progress(Path(place) / "me", clock=lambda: NOW)
        try:
            exchange.merge(progress, [exchange.read(file, NOW)])
        except TutorError:
            assert progress.cards() == {}
        else:
            assert len(list(ReviewLog(progress.folder / "reviews.log").read())) == 2
