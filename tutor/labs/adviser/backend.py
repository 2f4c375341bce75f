"""Load the adviser's data, and save results to files. The model is not used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from tutor import paths
from tutor.errors import LabError
from tutor.labs.adviser.data_files import read_advice
from tutor.labs.adviser.lab import Answer, Question, Read, Save, Saved
from tutor.labs.adviser.report import report
from tutor.labs.adviser.rule import HIGHEST
from tutor.learner import disk
from tutor.learner.lock import locked

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.labs.adviser.data import Advice
    from tutor.labs.kit.backend import Tools

PATIENCE = 2.0
"""The maximum time to wait for a lock that another session holds while it writes, in seconds."""
MOST_A_DAY = 20
"""The maximum number of files that can be saved for one case on one day. The limit prevents a key
that is held down from filling the disk."""


class AdviserBackend:
    """The lab's backend. It saves results only in `folder`, the learner's folder."""

    def __init__(self, folder: Path, today: Callable[[], date] = date.today) -> None:
        self._folder = folder
        self._today = today

    def answer(self, question: Question) -> Answer:
        """Return the adviser's data, or the path of the result that was saved.

        Raises `LessonError` if the data files are damaged, `StoreError` if the result cannot be
        written, and `LabError` if there are too many files or the request doesn't match the data.
        """
        advice = read_advice(paths.lessons_folder())
        if isinstance(question, Read):
            return advice
        return Saved(str(self._save(question, advice)))

    def _save(self, save: Save, advice: Advice) -> Path:
        """Save the result to a new file, and return its path.

        Existing files are never overwritten. A result that has already been saved is not saved
        again.
        """
        _check(save, advice)
        on = self._today()
        data = report(advice, save, on).encode()
        case = advice.cases[save.case - 1].id if save.case else "own-task"
        with locked(self._folder / "adviser.lock", PATIENCE):
            for number in range(1, MOST_A_DAY + 1):
                ending = f"-{number}" if number > 1 else ""
                path = self._folder / f"adviser-{case}-{on}{ending}.md"
                with disk.failures_in_words(path, "saved"):
                    if not path.exists():
                        disk.replace(path, data)
                        return path
                    if path.read_bytes() == data:
                        return path
        raise LabError(
            f"You have already saved {MOST_A_DAY} results for this task today.",
            f"Delete some of them in {self._folder}.",
        )


def _check(save: Save, advice: Advice) -> None:
    """Check a request, which can contain anything, because it comes from another process.

    Raises `LabError` if the request doesn't match the data.
    """
    needs, settings = advice.needs, save.settings
    sound = (
        0 <= save.case <= len(advice.cases)
        and (save.picked is None or 0 <= save.picked < len(advice.options))
        and len(settings.weights) == len(settings.kinds) == len(settings.musts) == len(needs)
        and all(
            0 <= kind < len(need.kinds) for kind, need in zip(settings.kinds, needs, strict=True)
        )
        and all(0 <= weight <= HIGHEST for weight in settings.weights)
    )
    if not sound:
        raise LabError("This result is not valid.", "This is a bug in the lab. Please report it.")


def make_backend(tools: Tools) -> AdviserBackend:
    return AdviserBackend(tools.folder)
