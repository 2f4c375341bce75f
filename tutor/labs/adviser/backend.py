"""Reads what the adviser weighs, and writes down its result. It asks the model nothing."""

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
"""Seconds to wait for another session that is writing."""
MOST_A_DAY = 20
"""Files about one case on one day: a key that is held down must not fill the disk."""


class AdviserBackend:
    """Writes into `folder`, the learner's own, and nowhere else."""

    def __init__(self, folder: Path, today: Callable[[], date] = date.today) -> None:
        self._folder = folder
        self._today = today

    def answer(self, question: Question) -> Answer:
        """Raises `LessonError` where the data is damaged, `StoreError` where the file cannot be
        written, `LabError` where there are too many of them or the question is of no case."""
        advice = read_advice(paths.lessons_folder())
        if isinstance(question, Read):
            return advice
        return Saved(str(self._save(question, advice)))

    def _save(self, save: Save, advice: Advice) -> Path:
        """What was written already is not written again, and nothing is written over."""
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
            f"There are {MOST_A_DAY} results about this from today already.",
            f"Remove some from {self._folder}.",
        )


def _check(save: Save, advice: Advice) -> None:
    """A question comes from another process: it must be about what there is."""
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
        raise LabError("This is no result of the adviser.", "This is a mistake in the lab.")


def make_backend(tools: Tools) -> AdviserBackend:
    return AdviserBackend(tools.folder)
