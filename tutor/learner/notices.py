"""What the learner is told when saved progress was not as expected and tutor helped itself."""

from pathlib import Path

from tutor.errors import StoreError
from tutor.learner.errors import StoreRepaired
from tutor.learner.review_log import MISSING, Examined, ReviewLog

NOTHING_TO_DO = "There is nothing you need to do."


def backup_used(path: Path, problem: str, kept: str) -> StoreRepaired:
    return StoreRepaired(
        f"{path} {problem}. Its backup is used instead, and every answer given since that was made "
        f"has been read from the review log.{kept}",
        NOTHING_TO_DO,
    )


def rebuilt(path: Path, problem: str, kept: str) -> StoreRepaired:
    return StoreRepaired(
        f"{path} {problem}, and there is no backup that can be read. Everything you answered has "
        f"been read again from the review log; only your place in each lesson is lost.{kept}",
        "Open the lesson you were in and go on.",
    )


def nothing_left(path: Path, problem: str, kept: str) -> StoreRepaired:
    return StoreRepaired(
        f"{path} {problem}, and there is neither a backup nor a review log that can be read, so "
        f"your progress starts again from nothing.{kept}",
        f"If you have a copy of the folder {path.parent}, put it back and start again.",
    )


def edited(path: Path) -> StoreRepaired:
    return StoreRepaired(
        f"{path} was changed by something other than tutor. Your place in each lesson is used as "
        "it is there; everything you answered has been read again from the review log.",
        "If you did not change it yourself, see that you are where you were.",
    )


def edited_alone(path: Path) -> StoreRepaired:
    return StoreRepaired(
        f"{path} was changed by something other than tutor. It is used as it is.",
        "If you did not change it yourself, have a look at your progress.",
    )


def entries_left_out(path: Path, count: int) -> StoreRepaired:
    return StoreRepaired(
        f"{count} of the entries in {path} cannot be understood and {_are(count)} left out.",
        "They stay in the file. If you edited it, undo that.",
    )


def log_damaged(path: Path, count: int) -> StoreRepaired:
    return StoreRepaired(
        f"{count} of the lines in {path} cannot be read, nor in its copy, and {_are(count)} left "
        "out.",
        "The questions they were about may come up again once more.",
    )


def log_mended(log: ReviewLog, found: Examined) -> StoreRepaired:
    kept = f" The damaged file is kept as {log.damaged.name}." if found.log != MISSING else ""
    happened, copy = f"{log.path} {found.log}", log.copy.name
    if found.unreadable:
        return StoreRepaired(
            f"{happened}. Its copy, {copy}, has everything but {found.unreadable} of the lines."
            f"{kept}",
            "The questions they were about may come up again once more.",
        )
    return StoreRepaired(
        f"{happened}. Nothing is lost: its copy, {copy}, has everything.{kept}", NOTHING_TO_DO
    )


def copy_mended(log: ReviewLog, found: Examined) -> StoreRepaired:
    return StoreRepaired(
        f"{log.copy} {found.copy}. Nothing is lost: it is made again from {log.path.name}.",
        NOTHING_TO_DO,
    )


def log_replaced(path: Path) -> StoreRepaired:
    return StoreRepaired(
        f"{path} is missing, or older than your saved progress, and so is its copy. The saved "
        "progress is kept.",
        "If you have a newer copy of the file, put it back; otherwise " + NOTHING_TO_DO.lower(),
    )


def only_in_log(reason: StoreError) -> StoreRepaired:
    return StoreRepaired(
        f"Your answer is saved in the review log, but the rest was not: {reason.happened}",
        reason.next_step,
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
