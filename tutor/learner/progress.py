"""Read and save a learner's progress. Other packages access the files only through `Progress`.

A learner's folder contains these files:

- `reviews.log`: the log of all events, which is the source of truth, and a copy of this log
- `progress.json`: the state computed from the events, the position in each lesson, and a backup
- a lock file

Whenever the state is read, events that were added to the log in the meantime are applied to it. A
session therefore sees what another session has saved. If a session is killed after it has written
the log but before it has written the state, no event is lost.
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
from tinydb import TinyDB

from tutor.errors import StoreError, TutorError
from tutor.learner import disk, notices
from tutor.learner.clock import Clock, now
from tutor.learner.documents import from_tables, keep_what_only_the_file_knows, write_changes
from tutor.learner.records import Card, LogEvent, LogMark, identified
from tutor.learner.replay import catch_up
from tutor.learner.review_log import DAMAGED, Examined, ReviewLog
from tutor.learner.schema import CURRENT, LOG_COPIED, Schema
from tutor.learner.state import LearnerState
from tutor.learner.storage import AtomicStorage, Contents
from tutor.learner.store import Change, ProgressStore


class Progress(ProgressStore[None]):
    """The progress of one learner.

    Every method takes a few milliseconds. Reading always works, and needs neither a lock nor write
    permission. If a change cannot be saved, the method raises `StoreFull`, `StoreReadOnly`,
    `StoreBusy`, `StoreNewer` or another `StoreError`, and the files stay unchanged. Several
    sessions, processes and threads can use the same folder at the same time.
    """

    notices: list[TutorError]
    """Notices to show to the learner, for example about a repaired file. They are never raised.

    Each notice is added only once, and the app can clear the list.
    """

    def __init__(
        self, folder: Path, *, schema: Schema = CURRENT, timeout: float = 5.0, clock: Clock = now
    ) -> None:
        """Open the progress in `folder`.

        Methods that save data wait up to `timeout` seconds for other sessions to finish saving.
        """
        self.folder = folder
        self.clock = clock
        self.notices = []
        self._told: set[str] = set()
        self._log = ReviewLog(folder / "reviews.log")
        self._storage = AtomicStorage(folder / "progress.json", schema, timeout)
        self._schema = schema
        self._state = LearnerState()
        self._seen: object = None
        if not disk.writable(folder):
            self._tell(disk.read_only(folder))
        self.state()

    @classmethod
    def open(cls, folder: Path, *, clock: Clock = now) -> Self:
        """Return the progress stored in `folder`, which need not exist yet.

        Problems on disk raise no exception. If a file is damaged, unreadable or from a newer
        version, a notice is added.
        """
        return cls(folder, clock=clock)

    # --- reading --------------------------------------------------------------------------------

    def state(self) -> LearnerState:
        """Return the current state, including changes that other sessions have saved."""
        files = (self._storage.path, self._log.path, self._log.copy)
        signature = tuple(map(_signature, files))
        if self._seen != signature:
            self._state = self._read()
            self._seen = signature
        return self._state

    def export(self) -> dict[str, Any]:
        """Return the stored state as JSON-serializable data."""
        state = self.state()
        return {
            "format": self._schema.version,
            "lessons": [msgspec.to_builtins(lesson) for lesson in state.lessons.values()],
            "cards": [msgspec.to_builtins(card) for card in state.cards.values()],
            "guesses": msgspec.to_builtins(state.guesses),
            "settings": dict(state.settings),
            "drafts": {key: msgspec.to_builtins(draft) for key, draft in state.drafts.items()},
        }

    # --- saving ---------------------------------------------------------------------------------

    def events(self) -> list[LogEvent]:
        """Return all events in the review log. Raises `StoreError`."""
        return [line.event for line in self._log.read() if line.event is not None]

    def record(self, event: LogEvent) -> None:
        """Save one event. When this method returns, the event survives a crash or power failure."""
        self.record_new(lambda: (identified(event),))

    def record_new(
        self, events: Callable[[], Sequence[LogEvent]], change: Change = lambda state: state
    ) -> None:
        """Save the events that `events` returns, either all or none.

        Before that, `change` is applied to the state. No other session can save while these two
        functions run. When this method returns, the events survive a crash or power failure.
        """
        if _signature(self._storage.path) is None:
            # The state file is written before the log. So a log without a state file means that the
            # state file was lost.
            self.change(lambda state: state)
        logged = False
        try:
            with self._storage.transaction() as contents:
                found = self._mend_log(contents) if self._log.cut_off() else None
                stored, before = self._brought_up(contents, found)
                self._log.extend(events())
                logged = True
                self._write(stored, self._follow_log(change(before)))
        except StoreError as error:
            if not logged:
                raise
            self._tell(notices.only_in_log(error))

    def change(self, change: Change, replaces: object = None) -> None:
        with self._storage.transaction() as contents:
            stored, before = self._brought_up(contents)
            self._write(stored, change(before))

    def check(self) -> None:
        """Check the whole log and its copy, and repair the damaged file.

        This runs at every start, so that damage to one file is repaired before the other file can
        be damaged too. It takes 150 ms for 100,000 answers. Problems on disk raise no exception,
        but add a notice.
        """
        try:
            if not self._log.intact():
                with self._storage.transaction() as contents:
                    self._write(*self._brought_up(contents, self._mend_log(contents)))
        except StoreError as error:  # Until both files can be repaired, readers combine them.
            self._tell(error)
            with contextlib.suppress(StoreError):
                self._tell_of_log(self._log.examine(_known_cards(self.state())))

    # --- internals ------------------------------------------------------------------------

    def _write(self, stored: LearnerState, after: LearnerState) -> None:
        """Pass the changes to TinyDB.

        The file is written at the end of the surrounding transaction.
        """
        # Forget the file's state, so that the next call reads the file even if this write fails.
        self._seen = None
        write_changes(TinyDB(storage=lambda: self._storage), stored, after)

    def _read(self) -> LearnerState:
        """Return as much of the stored data as possible.

        If a file cannot be read, for example because a newer version wrote it or because permission
        is denied, a notice is added.
        """
        try:
            contents = self._storage.load()
        except StoreError as error:
            self._tell(error)
            contents = Contents(None)
        state, _ = from_tables(contents.tables or {})
        try:
            _, state = self._brought_up(contents)
        except StoreError as error:
            self._tell(error)
        return state

    def _brought_up(
        self, contents: Contents, mended: Examined | None = None
    ) -> tuple[LearnerState, LearnerState]:
        """Return the state stored in `contents`, and this state updated from the log.

        `mended` describes the repair of the log, if it was just repaired. If a line was restored
        that was intact in neither file, the state is rebuilt, because it may lack this line.
        """
        stored = self._stored(contents)
        distrusted = contents.edited and stored.mark == LogMark()
        recovered = mended is not None and mended.recovered and not stored.mark.outdated
        return stored, self._follow_log(stored, rebuild=distrusted or recovered)

    def _stored(self, contents: Contents) -> LearnerState:
        """Return the state in `contents`. If the file has a problem, add a notice.

        If another program has changed the file, everything that can be rebuilt from the log is left
        out.
        """
        tables = contents.tables or {}
        state, left_out = from_tables(tables)
        if contents.problem and (
            contents.damaged or contents.tables is not None or self._log.size()
        ):
            self._tell(self._repair(contents))
        if contents.edited and self._log.size() and not state.mark.partial:
            keep_what_only_the_file_knows(tables)
            state, left_out = from_tables(tables)
            self._tell(notices.edited(self._storage.path))
        elif contents.edited:
            self._tell(notices.edited_alone(self._storage.path))
        if left_out:
            self._tell(notices.entries_left_out(self._storage.path, left_out))
        return state

    def _repair(self, contents: Contents) -> TutorError:
        path, damaged = self._storage.path, self._storage.damaged.name
        kept = f" The next save renames the damaged file to {damaged}." if contents.damaged else ""
        if contents.tables is not None:
            return notices.backup_used(path, contents.problem, kept)
        if self._log.size():
            return notices.rebuilt(path, contents.problem, kept)
        return notices.nothing_left(path, contents.problem, kept)

    def _follow_log(self, state: LearnerState, *, rebuild: bool = False) -> LearnerState:
        state, found = catch_up(state, self._log, rebuild=rebuild)
        for notice in found:
            self._tell(notice)
        return state

    def _mend_log(self, contents: Contents) -> Examined:
        """Repair the log, and return what was found. Call this within a transaction."""
        state, _ = from_tables(contents.tables or {})
        copied = contents.schema >= LOG_COPIED and not contents.edited
        found = self._log.examine(_known_cards(state))
        # After a repair that fails halfway, the files no longer show what was lost.
        self._tell_of_log(found, state.mark.end if copied else 0)
        self._log.mend(found)
        self._seen = None
        return found

    def _tell_of_log(self, found: Examined, copied: int = 0) -> None:
        """Add notices about the log. `copied` is the expected size of the copy in bytes."""
        if found.lost:
            self._tell(notices.log_damaged(self._log.path, found.lost))
            return
        if found.log:
            self._tell(notices.log_mended(self._log, found))
        if found.copy == DAMAGED or (found.copy and found.copied < copied):
            self._tell(notices.copy_mended(self._log, found))

    def _tell(self, notice: TutorError) -> None:
        if str(notice) not in self._told:
            self._told.add(str(notice))
            self.notices.append(notice)


def _known_cards(state: LearnerState) -> Sequence[Card]:
    """Return the cards that help to name lost answers.

    If the state includes events that are missing from the log for other reasons, there are none.
    """
    return () if state.mark.partial else tuple(state.cards.values())


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Return the file's inode, modification time and size, which change with every write."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
