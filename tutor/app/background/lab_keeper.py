"""Keep the state of each lab while the app runs, and save the learner's work in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.errors import StoreError
from tutor.labs.kit.runner import Left

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.labs.kit.registry import AnyLab
    from tutor.learner.background import BackgroundProgress

WAIT = 1.0
"""The time, in seconds, from a change until it is saved, together with the changes after it."""


class LabKeeper:
    """Keeps labs as the learner left them.

    `left` has the state of each lab that was open in this session, by its name. Only the learner's
    work, and results that took long to compute, are saved to disk, and only if they have changed.
    `later` calls a function after a number of seconds, and `tell` shows the learner an error.
    """

    def __init__(
        self,
        progress: BackgroundProgress,
        later: Callable[[float, Callable[[], None]], object],
        tell: Callable[[StoreError], None],
    ) -> None:
        self.left: dict[str, Left] = {}
        self._work = progress.lab_work
        self._later = later
        self._tell = tell
        self._saved: dict[str, bytes] = {}
        self._changed: dict[str, AnyLab] = {}

    def open(self, lab: AnyLab) -> Left | None:
        """Return the state to continue the lab with, or None if the lab is new to the learner."""
        if lab.name in self.left:
            return self.left[lab.name]
        if not (work := self._work.read(lab.name)):
            return None
        state, model = lab.resumed(work)
        self._saved[lab.name] = lab.saved(state, model)
        return Left(state, model)

    def keep(self, lab: AnyLab, left: Left) -> None:
        """Keep a new state, and save the work in it soon if the learner has done something."""
        self.left[lab.name] = left
        if not left.touched:
            return
        if not self._changed:
            self._later(WAIT, self.save)
        self._changed[lab.name] = lab

    def save(self) -> None:
        """Save all work that has changed, without waiting for the disk."""
        changed, self._changed = self._changed, {}
        for name, lab in changed.items():
            left = self.left[name]
            work = lab.saved(left.state, left.model)
            if work != self._saved.get(name, b""):
                self._saved[name] = work
                try:
                    self._work.save(name, work)
                except StoreError as error:
                    self._tell(error)
