"""Save a learner's progress in the background, so that the interface never waits for the disk.

A single thread writes the changes in the order of the calls. Reading returns the state as if every
change had already been saved.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from tutor.errors import StoreError, TutorError
from tutor.learner.labs.work import LabWork
from tutor.learner.progress import Progress
from tutor.learner.records import LogEvent, identified
from tutor.learner.state import LearnerState, fold
from tutor.learner.store import Change, ProgressStore
from tutor.learner.texts import Texts, TextShelf


class _Save:
    """A pending change: it has not been saved yet.

    `change` applies it to the state in memory, and `write` saves it to disk. If two pending changes
    have the same `replaces`, only the later one is written, because it includes the earlier one.
    """

    def __init__(self, change: Change, write: Callable[[], None], replaces: object = None) -> None:
        self.change = change
        self.write = write
        self.replaces = replaces
        self.done: Future[None] = Future()
        self.begun = False


class BackgroundProgress(ProgressStore[Future[None]]):
    """A `Progress` whose save methods return a future immediately.

    The future is done when the change is on disk, or fails with the `StoreError` that prevented
    the save. Call all methods from the same thread. The writer thread calls `tell` with each error
    that prevented a save, and with each notice about a repaired file. It calls `changed` whenever
    `refused` has changed.
    """

    def __init__(
        self,
        progress: Progress,
        tell: Callable[[Exception], None] = lambda _: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder, self.clock = progress.folder, progress.clock
        self._progress = progress
        self._tell, self._changed_refused = tell, changed
        self.refused: StoreError | None = None
        """The error that prevented the latest save, or None if that save succeeded."""
        self._base = progress.state()
        self._waiting: deque[_Save] = deque()
        self._changed = threading.Condition()
        self._writing = False
        self._told = len(progress.notices)
        self.lab_work = LabWork(progress.folder / "labs", self._put_write)
        self.texts = Texts(TextShelf(progress.folder / "texts"), self._put_write)

    @property
    def notices(self) -> tuple[TutorError, ...]:
        """Return all notices so far about files that are damaged or cannot be used."""
        return tuple(self._progress.notices)

    def state(self) -> LearnerState:
        with self._changed:
            if not self._waiting:
                self._base = self._progress.state()
            state = self._base
            for save in self._waiting:
                state = save.change(state)
            return state

    # --- saving ---------------------------------------------------------------------------------

    def record(self, event: LogEvent) -> Future[None]:
        """Save one event.

        An event without an id gets a new id, which is not returned. If you want to undo an answer
        later, set its id before you call this method.
        """
        event = identified(event)
        change: Change = lambda state: fold(state, (event,))  # noqa: E731
        return self._put(_Save(change, lambda: self._progress.record(event)))

    def change(self, change: Change, replaces: object = None) -> Future[None]:
        return self._put(_Save(change, lambda: self._progress.change(change), replaces))

    def check(self) -> Future[None]:
        """Check and repair the stored files.

        Call this once, after the app has shown its first screen.
        """
        return self._put_write(self._progress.check, None)

    @property
    def unsaved(self) -> int:
        """Return the number of changes that are not on disk yet."""
        return len(self._waiting)

    def drain(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds, and return True if all changes are on disk."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._writing, timeout)

    # --- the writer -----------------------------------------------------------------------------

    def _put_write(self, write: Callable[[], None], replaces: object) -> Future[None]:
        return self._put(_Save(lambda state: state, write, replaces))

    def _put(self, save: _Save) -> Future[None]:
        with self._changed:
            last = self._waiting[-1] if self._waiting else None
            if last and save.replaces and last.replaces == save.replaces and not last.begun:
                save.done = last.done
                self._waiting[-1] = save
                return save.done
            self._waiting.append(save)
            if not self._writing:
                self._writing = True
                threading.Thread(target=self._write_all, name="progress", daemon=True).start()
        return save.done

    def _write_all(self) -> None:
        """Save pending changes until there are none. This method runs in the writer thread."""
        while save := self._next():
            error: Exception | None = None
            try:
                save.write()
            except Exception as raised:  # noqa: BLE001  (a bug: raised again where the future is awaited)
                error = raised
            state = self._progress.state()
            with self._changed:
                self._base = state
                self._waiting.popleft()
            self._report(save, error)

    def _next(self) -> _Save | None:
        with self._changed:
            if self._waiting:
                self._waiting[0].begun = True
                return self._waiting[0]
            self._writing = False
            self._changed.notify_all()
            return None

    def _report(self, save: _Save, error: Exception | None) -> None:
        before, self.refused = self.refused, error if isinstance(error, StoreError) else None
        if (before is None) != (self.refused is None):
            self._changed_refused()
        if error is None:
            save.done.set_result(None)
        else:
            save.done.set_exception(error)
            self._tell(error)
        for notice in self.notices[self._told :]:
            self._told += 1
            self._tell(notice)
