"""Define the notices that tell learners about repaired files."""

from collections.abc import Sequence
from pathlib import Path

from tutor.errors import StoreError
from tutor.learner.errors import StoreRepaired
from tutor.learner.review_log import DAMAGED, MISSING, Examined, ReviewLog

_MOST_NAMED = 5
"""The maximum number of lost entries that a notice lists by name."""
NOTHING_TO_DO = "You don't need to do anything."


def backup_used(path: Path, problem: str, kept: str) -> StoreRepaired:
    return StoreRepaired(
        f"{path} {problem}. Its backup is used instead, and all answers since the backup were "
        f"restored from the review log.{kept}",
        NOTHING_TO_DO,
    )


def rebuilt(path: Path, problem: str, kept: str) -> StoreRepaired:
    return StoreRepaired(
        f"{path} {problem}, and it has no readable backup. All your answers were restored from "
        f"the review log; only your place in each lesson is lost.{kept}",
        "Open the lesson you were in and continue there.",
    )


def nothing_left(path: Path, problem: str, kept: str) -> StoreRepaired:
    return StoreRepaired(
        f"{path} {problem}, and neither a backup nor a review log can be read. Your progress "
        f"starts from zero.{kept}",
        f"If you have a copy of the folder {path.parent}, put it back and restart tutor.",
    )


def edited(path: Path) -> StoreRepaired:
    return StoreRepaired(
        f"{path} was changed by another program. Your place in each lesson comes from the changed "
        "file; your answers were restored from the review log.",
        "If you did not change it yourself, check your place in each lesson.",
    )


def edited_alone(path: Path) -> StoreRepaired:
    return StoreRepaired(
        f"{path} was changed by another program. The changed file is used.",
        "If you did not change it yourself, check your progress.",
    )


def entries_left_out(path: Path, count: int) -> StoreRepaired:
    return StoreRepaired(
        f"{count} of the entries in {path} cannot be read and {_are(count)} ignored.",
        "They are still in the file. If you edited the file, undo your edit.",
    )


def log_damaged(path: Path, lost: Sequence[str]) -> StoreRepaired:
    return StoreRepaired(
        f"Part of {path} cannot be read, not even in its copy, and is ignored.{_named(lost)}",
        "You may be asked some questions again.",
    )


def log_mended(log: ReviewLog, found: Examined) -> StoreRepaired:
    kept = f" The damaged file was saved as {log.damaged.name}." if found.log != MISSING else ""
    complete = f"its copy, {log.copy.name}, is complete"
    if found.copy == DAMAGED:
        complete = "between them, the two copies are complete"
    return StoreRepaired(
        f"{log.path} {found.log}. Nothing is lost: {complete}.{kept}", NOTHING_TO_DO
    )


def copy_mended(log: ReviewLog, found: Examined) -> StoreRepaired:
    return StoreRepaired(
        f"{log.copy} {found.copy}. Nothing is lost: it was restored from {log.path.name}.",
        NOTHING_TO_DO,
    )


def log_replaced(path: Path) -> StoreRepaired:
    return StoreRepaired(
        f"{path} and its copy are missing, or older than your saved progress. The saved progress "
        "is used.",
        "If you have a newer version of the file, restore it. Otherwise, there is nothing to do.",
    )


def only_in_log(reason: StoreError) -> StoreRepaired:
    return StoreRepaired(
        f"Your answer is in the review log, but progress.json was not updated: {reason.happened}",
        reason.next_step,
    )


def _named(lost: Sequence[str]) -> str:
    """Return a sentence that names up to `_MOST_NAMED` lost entries, and counts the others."""
    if not lost:
        return ""
    more = f", and {len(lost) - _MOST_NAMED:,} more" if len(lost) > _MOST_NAMED else ""
    return f" Lost: {'; '.join(lost[:_MOST_NAMED])}{more}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
