"""Test that the state always follows from the log, wherever a session ends."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.learner.event_strategies import events, ids, times
from tests.learner.learner_sessions import told
from tutor.learner.log_lines import encode
from tutor.learner.progress import Progress
from tutor.learner.records import (
    Answered,
    LessonState,
    LogEvent,
    Undone,
    identified,
)
from tutor.learner.state import LearnerState, fold, in_order


class Learner(RuleBasedStateMachine):
    """Two alternating sessions. `written` contains the events that were saved, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name) / "me"
        self.sessions = [Progress.open(self.folder), Progress.open(self.folder)]
        self.written: list[LogEvent] = []
        self.places: dict[str, str] = {}
        self.notices_expected = False

    @initialize()
    def begin(self) -> None:
        assert self.sessions[0].cards() == {}

    @rule(session=st.integers(0, 1), event=events)
    def record(self, session: int, event: LogEvent) -> None:
        event = identified(event)
        self.sessions[session].record(event)
        self.written.append(event)

    @rule(session=st.integers(0, 1), at=times, which=st.integers(0, 1000), last=st.booleans())
    def take_back(self, session: int, at: float, which: int, last: bool) -> None:
        given = [event for event in self.written if isinstance(event, Answered)]
        if given:
            answer = given[-1 if last else which % len(given)]
            self.record(session, Undone(at=at, answer=answer.id, question=answer.question))

    @rule(session=st.integers(0, 1), lesson=ids, screen=ids)
    def save_lesson(self, session: int, lesson: str, screen: str) -> None:
        self.sessions[session].save_lesson(LessonState(lesson=lesson, screen=screen, visited_at=1))
        self.places[lesson] = screen

    @rule(session=st.integers(0, 1))
    def restart(self, session: int) -> None:
        self.sessions[session] = Progress.open(self.folder)

    @rule(event=events)
    def die_between_the_log_and_the_state(self, event: LogEvent) -> None:
        event = identified(event)
        if (self.folder / "progress.json").exists():
            with (self.folder / "reviews.log").open("ab") as file:
                if file.tell() == 0 or self._log_ends_whole():
                    file.write(encode(event))
                    self.written.append(event)

    @rule(event=events, share=st.floats(0, 1, exclude_max=True))
    def die_within_a_line(self, event: LogEvent, share: float) -> None:
        if (self.folder / "reviews.log").exists() and self._log_ends_whole():
            line = encode(event)
            with (self.folder / "reviews.log").open("ab") as file:
                file.write(line[: int(len(line) * share)])

    @rule(both=st.booleans())
    def lose_the_state(self, both: bool) -> None:
        if both:
            (self.folder / "progress.json.bak").unlink(missing_ok=True)
            self.places.clear()
        elif not (self.folder / "progress.json.bak").exists():
            return
        (self.folder / "progress.json").unlink(missing_ok=True)
        self.notices_expected = True
        if not both:  # the backup may have an earlier place
            known = Progress.open(self.folder).lessons()
            self.places = {key: lesson.screen for key, lesson in known.items() if lesson.screen}

    def _log_ends_whole(self) -> bool:
        return (self.folder / "reviews.log").read_bytes()[-1:] in (b"\n", b"")

    @invariant()
    def every_session_shows_what_the_log_says(self) -> None:
        expected = fold(LearnerState(), in_order(self.written))
        for progress in self.sessions:
            assert progress.cards() == expected.cards
            assert progress.guesses == expected.guesses
            assert progress.state().forgotten == expected.forgotten
            for key, lesson in expected.lessons.items():
                assert progress.lesson(key).labs_done == lesson.labs_done
                assert progress.lesson(key).goals_reached == lesson.goals_reached
                assert progress.lesson(key).read == lesson.read
            for key, screen in self.places.items():
                assert progress.lesson(key).screen == screen
            if not self.notices_expected:
                assert told(progress) == ""

    def teardown(self) -> None:
        self.temporary.cleanup()


TestLearner = Learner.TestCase
TestLearner.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
