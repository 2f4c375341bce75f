"""Store the state of each lab while the app runs, and save the learner's work to disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.errors import StoreError
from tutor.labs.kit import drafts
from tutor.labs.kit.runner import Left
from tutor.learner.errors import LabWorkFull

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.labs.kit.registry import AnyLab
    from tutor.learner.background import BackgroundProgress

TOO_LONG = LabWorkFull(
    "Some texts that you have not submitted are too long.",
    "Shorten or submit them. You can keep working on them until you quit.",
)

WAIT = 1.0
"""The delay, in seconds, before a change is saved, along with any changes made during the delay."""


class LabKeeper:
    """The stored states of the labs, so that the learner finds each lab as they left it.

    `left` contains the state of each lab that was opened in this session, by the lab's name. Only
    the learner's work, texts that they have not submitted, and results that took long to compute
    are saved to disk, and only if they have changed. `later` calls a function after a number of
    seconds, and `tell` shows the learner an error.
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
        self._incomplete: set[str] = set()
        """The names of the labs that have a draft that could not be saved."""

    def open(self, lab: AnyLab) -> Left | None:
        """Return the state in which the learner left the lab, or None if they never opened it."""
        if lab.name in self.left:
            return self.left[lab.name]
        if not (work := self._work.read(lab.name)):
            return None
        state, model = lab.resumed(work)
        left = Left(state, model, drafts=drafts.restored(work))
        self._saved[lab.name] = lab.saved(state, model, left.drafts)
        return left

    def keep(self, lab: AnyLab, left: Left) -> None:
        """Store a lab's new state. If the learner has done something, also save their work soon."""
        self.left[lab.name] = left
        if not left.touched:
            return
        if not self._changed:
            self._later(WAIT, self.save)
        self._changed[lab.name] = lab

    def save(self) -> None:
        """Save all changed work in the background."""
        changed, self._changed = self._changed, {}
        for name, lab in changed.items():
            left = self.left[name]
            work = lab.saved(left.state, left.model, left.unsubmitted)
            if work != self._saved.get(name, b""):
                self._saved[name] = work
                try:
                    self._work.save(name, work)
                except StoreError as error:
                    self._tell(error)
                    continue
            self._check_drafts(name, work)

    def _check_drafts(self, lab: str, work: bytes) -> None:
        """Tell the learner, once, if not all drafts of a lab fit in its file."""
        told = lab in self._incomplete
        if drafts.are_saved(self.left[lab].unsubmitted, work):
            self._incomplete.discard(lab)
        elif not told:
            self._incomplete.add(lab)
            self._tell(TOO_LONG)
