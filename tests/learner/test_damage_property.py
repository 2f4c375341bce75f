"""Test that every answer is stored exactly once if one copy of the log is damaged at a time.

The expected events are kept in a list in memory. Between two checks of the files (`check`, at every
start), one of the two logs may be cut off, have flipped bits or be removed. The same can happen to
the state and its backup, even to both at the same time.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.learner.event_strategies import events, ids, times
from tests.learner.learner_sessions import log_files
from tutor.learner import exchange
from tutor.learner.errors import StoreNewer
from tutor.learner.progress import Progress
from tutor.learner.records import (
    Answered,
    Imported,
    LessonState,
    LogEvent,
    Undone,
    identified,
)
from tutor.learner.schema import MIGRATIONS, Schema
from tutor.learner.state import LearnerState, fold, in_order

NOW = 1.9e9
NEWER = Schema((*MIGRATIONS, lambda tables: tables))

harms = st.sampled_from(["cut", "flip", "flip", "remove"])
shares = st.floats(0, 1, exclude_max=True)


def hurt(file: Path, harm: str, share: float, bit: int) -> None:
    data = file.read_bytes()
    place = int(len(data) * share)
    if harm == "remove":
        file.unlink()
    elif harm == "cut":
        file.write_bytes(data[:place])
    elif data:
        file.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])


class Damaged(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name) / "me"
        self.other_machine = Progress(Path(self.temporary.name) / "other", clock=lambda: NOW)
        self.export = Path(self.temporary.name) / "export.json"
        self.written: list[LogEvent] = []
        self.written_on_other: list[LogEvent] = []
        self.exported: list[LogEvent] = []
        self.log_hurt = False
        self.sessions = [self._opened(), self._opened()]

    def _opened(self) -> Progress:
        """Open the progress as the app and every command do."""
        progress = Progress(self.folder, clock=lambda: NOW)
        progress.check()
        self.log_hurt = False
        return progress

    @rule(session=st.integers(0, 1), event=events)
    def record(self, session: int, event: LogEvent) -> None:
        event = identified(event)
        self.sessions[session].record(event)
        self.written.append(event)

    @rule(session=st.integers(0, 1), at=times, which=st.integers(0, 1000))
    def take_back(self, session: int, at: float, which: int) -> None:
        given = [event for event in self.written if isinstance(event, Answered)]
        if given:
            answer = given[which % len(given)]
            self.record(session, Undone(at=at, answer=answer.id, question=answer.question))

    @rule(session=st.integers(0, 1), lesson=ids, screen=ids)
    def move(self, session: int, lesson: str, screen: str) -> None:
        self.sessions[session].save_lesson(LessonState(lesson=lesson, screen=screen, visited_at=1))

    @precondition(lambda self: not self.log_hurt)
    @rule(which=st.integers(0, 1), harm=harms, share=shares, bit=st.integers(0, 7))
    def hurt_one_log(self, which: int, harm: str, share: float, bit: int) -> None:
        file = log_files(self.folder)[which]
        if file.exists():
            hurt(file, harm, share, bit)
            self.log_hurt = True

    @rule(backup=st.booleans(), harm=harms, share=shares, bit=st.integers(0, 7))
    def hurt_the_state(self, backup: bool, harm: str, share: float, bit: int) -> None:
        for name in ("progress.json", "progress.json.bak")[: 1 + backup]:
            if (self.folder / name).exists() and self.written:
                hurt(self.folder / name, harm, share, bit)

    @rule(session=st.integers(0, 1))
    def restart(self, session: int) -> None:
        self.sessions[session] = self._opened()

    @rule(event=events)
    def answer_on_another_machine(self, event: LogEvent) -> None:
        event = identified(event)
        if event.at <= NOW:
            self.other_machine.record(event)
            self.written_on_other.append(event)

    @rule(here=st.booleans())
    def export_progress(self, here: bool) -> None:
        """Export progress from any machine; importing it again later must count once."""
        source = self.sessions[0] if here else self.other_machine
        self.export.write_bytes(msgspec.json.encode(exchange.export(source)))
        self.exported = list(self.written if here else self.written_on_other)

    @rule(session=st.integers(0, 1))
    def import_progress(self, session: int) -> None:
        if all(event.at <= NOW + 1e7 for event in self.exported) and self.export.exists():
            exchange.merge(self.sessions[session], [exchange.read(self.export, NOW)])
            known = {event.id for event in self.written}
            self.written += [event for event in self.exported if event.id not in known]

    @rule(event=events)
    def go_back_to_an_older_version(self, event: LogEvent) -> None:
        """A newer version records one answer. Then the file in the older format is restored."""
        self.sessions[0].save_setting("seed", 1)
        newer = Progress(self.folder, schema=NEWER, clock=lambda: NOW)
        event = identified(event)
        newer.record(event)
        self.written.append(event)
        with pytest.raises(StoreNewer):
            self.sessions[0].save_setting("seed", 2)
        own = self.folder / f"progress.json.format-{NEWER.version - 1}"
        (self.folder / "progress.json").write_bytes(own.read_bytes())

    @invariant()
    def every_acknowledged_event_is_there_once(self) -> None:
        expected = fold(LearnerState(), in_order(self.written))
        for progress in self.sessions:
            found = [event for event in progress.events() if not isinstance(event, Imported)]
            assert Counter(event.id for event in found) == Counter(e.id for e in self.written)
            assert {event.id: event for event in found} == {e.id: e for e in self.written}
            assert progress.cards() == expected.cards
            assert progress.guesses == expected.guesses
            assert progress.state().forgotten == expected.forgotten

    def teardown(self) -> None:
        self.temporary.cleanup()


TestDamaged = Damaged.TestCase
TestDamaged.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
