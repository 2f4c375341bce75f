"""The learner's progress: the one door through which the rest of the program reads and saves it.

A folder holds one learner: `reviews.log` (every event, the truth), `progress.json` (the state that
follows from it, and the place in each lesson), its backup, and a lock file. What is read is always
the state file plus what the log has beyond it, so a session sees what another one saved, and a
session killed between the two writes loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec
from tinydb import TinyDB

from tutor.errors import StoreError, TutorError
from tutor.learner import disk, notices
from tutor.learner.records import Card, GuessHistory, LessonState, LogEvent, Setting
from tutor.learner.replay import catch_up
from tutor.learner.review_log import ReviewLog
from tutor.learner.schema import CURRENT, Schema
from tutor.learner.state import State, from_tables, place, write_changes
from tutor.learner.storage import AtomicStorage, Contents

LONGEST_SETTING = 20_000
"""Characters. Settings are rewritten at every save, so they stay small."""


class Progress:
    """Everything known of one learner. Every method takes a few milliseconds.

    Reading always works, without a lock and without write access. What cannot be saved raises
    `StoreFull`, `StoreReadOnly`, `StoreBusy`, `StoreNewer` or another `StoreError`, and leaves
    everything as it was. Several sessions, processes or threads may use the same folder at once.
    """

    notices: list[TutorError]
    """Never raised, to be shown once: a file was damaged and repaired, nothing can be saved here.
    Each is added once; the app may empty the list."""

    def __init__(self, folder: Path, *, schema: Schema = CURRENT, timeout: float = 5.0) -> None:
        """`timeout` is how long a save waits for another session, in seconds."""
        self.folder = folder
        self.notices = []
        self._told: set[str] = set()
        self._log = ReviewLog(folder / "reviews.log")
        self._storage = AtomicStorage(folder / "progress.json", schema, timeout)
        self._schema = schema
        self._state = State()
        self._seen: object = None
        if not disk.writable(folder):
            self._tell(disk.read_only(folder))
        self._view()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The learner of `folder`, which need not exist yet. Never raises for what is on disk: a
        file that is damaged, newer, or cannot be read leaves a notice."""
        return cls(folder)

    # --- reading --------------------------------------------------------------------------------

    def lesson(self, lesson_id: str) -> LessonState:
        """Where the learner is in a lesson; an empty state for one never opened."""
        return self._view().lessons.get(lesson_id) or LessonState(lesson=lesson_id)

    def lessons(self) -> dict[str, LessonState]:
        """Every lesson that was ever opened, by id."""
        return dict(self._view().lessons)

    def last_lesson(self) -> str | None:
        """Id of the lesson visited last."""
        visited = self._view().lessons.values()
        return max(visited, key=lambda state: state.visited_at).lesson if visited else None

    def card(self, question_id: str) -> Card | None:
        """What is known of a question; None when it was never answered."""
        return self._view().cards.get(question_id)

    def cards(self) -> dict[str, Card]:
        """Every question ever answered, by id."""
        return dict(self._view().cards)

    @property
    def guesses(self) -> GuessHistory:
        return self._view().guesses

    def setting(self, name: str) -> Setting | None:
        return self._view().settings.get(name)

    def export(self) -> dict[str, Any]:
        """Everything stored, as plain data that JSON can hold."""
        state = self._view()
        return {
            "format": self._schema.version,
            "lessons": [msgspec.to_builtins(lesson) for lesson in state.lessons.values()],
            "cards": [msgspec.to_builtins(card) for card in state.cards.values()],
            "guesses": msgspec.to_builtins(state.guesses),
            "settings": dict(state.settings),
        }

    # --- saving ---------------------------------------------------------------------------------

    def record(self, event: LogEvent) -> None:
        """Save one event. When this returns, it survives a kill and a power cut."""
        if not self._storage.path.exists():
            self._change(lambda state: state)  # so that a log without a state means a loss
        logged = False
        try:
            with self._storage.transaction() as contents:
                self._log.append(event)
                logged = True
                self._store(contents, lambda state: state)
        except StoreError as error:
            if not logged:
                raise
            self._tell(notices.only_in_log(error))

    def save_lesson(self, lesson: LessonState) -> None:
        """Save the place in a lesson. `read` and `goals` are not taken from here, they follow from
        `LessonRead` and `GoalReached` events; `seen` is added to what was seen before."""
        if not lesson.visited_at:
            lesson = msgspec.structs.replace(lesson, visited_at=time.time())
        self._change(lambda state: place(state, lesson))

    def save_setting(self, name: str, value: Setting) -> None:
        """Remember a small choice. Raises `StoreError` for text over `LONGEST_SETTING`."""
        if isinstance(value, str) and len(value) > LONGEST_SETTING:
            raise StoreError(
                f"A text of {len(value):,} characters is too long to be remembered.",
                f"Shorten it to {LONGEST_SETTING:,} characters; it works as it is until you quit.",
            )
        self._change(
            lambda state: msgspec.structs.replace(state, settings={**state.settings, name: value})
        )

    # --- behind the door ------------------------------------------------------------------------

    def _change(self, change: Callable[[State], State]) -> None:
        with self._storage.transaction() as contents:
            self._store(contents, change)

    def _store(self, contents: Contents, change: Callable[[State], State]) -> None:
        """Within a transaction: catch up with the log, change, and hand the result to TinyDB."""
        self._seen = None  # whatever happens, the next reading looks at the disk
        before, _ = from_tables(contents.tables or {})
        after = change(self._up_to_date(contents))
        write_changes(TinyDB(storage=lambda: self._storage), before, after)

    def _view(self) -> State:
        """The state now, read again if any session has saved since the last look."""
        signature = (_signature(self._storage.path), _signature(self._log.path))
        if self._seen != signature:
            try:
                contents = self._storage.load()
            except StoreError as error:
                self._tell(error)
                contents = Contents(None)
            try:
                self._state = self._up_to_date(contents)
            except StoreError as error:
                self._tell(error)
                self._state, _ = from_tables(contents.tables or {})
            self._seen = signature
        return self._state

    def _up_to_date(self, contents: Contents) -> State:
        path = self._storage.path
        state, left_out = from_tables(contents.tables or {})
        state, found = catch_up(state, self._log)
        if contents.problem:
            kept = f" The damaged file is kept as {self._storage.damaged.name}."
            repair = (
                notices.backup_used
                if contents.tables is not None
                else notices.rebuilt
                if state.mark.end
                else notices.nothing_left
            )
            if contents.damaged or contents.tables is not None or state.mark.end:
                self._tell(repair(path, contents.problem, kept if contents.damaged else ""))
        if contents.edited:
            self._tell(notices.edited(path))
        if left_out:
            self._tell(notices.entries_left_out(path, left_out))
        for notice in found:
            self._tell(notice)
        return state

    def _tell(self, notice: TutorError) -> None:
        if str(notice) not in self._told:
            self._told.add(str(notice))
            self.notices.append(notice)


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Differs after every write: each makes a new file, or a longer one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
